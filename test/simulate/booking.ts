import { credit, debit, type LedgerBuilder, type Side, type Transaction, type User } from '../support/ledger.ts';
import type { Booking, Late } from './story.ts';

/** What the application books for a customer, and how it breaks meanwhile; the second user is whom it takes for the first. */
export function book(ledger: LedgerBuilder, [user, other]: [User, User], step: Booking): void {
  const { what, amount, minutesAgo, crash } = step;
  if (what === 'deposit' || what === 'withdrawal') bookRecord(ledger, [user, other], what, step);
  else if (what === 'conversion job') bookJob(ledger, step);
  else if (what === 'split') spoil(crash, ledger.allocationSplit(user, amount, '3', { minutesAgo }).transaction);
  else if (what === 'investment') spoil(crash, ledger.investment(user, amount, { minutesAgo }));
  else {
    const accounts = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')] as const;
    spoil(crash, ledger.internalTransfer(user, ...accounts, amount, { minutesAgo }));
  }
}

/** In a transaction that stays open: without entries, so that no row of an account stays locked meanwhile. */
export function bookLate(ledger: LedgerBuilder, user: User, late: Late): void {
  const { id } = ledger.deposit(user, '42', { minutesAgo: 0, post: false });
  if (late === 'header only') bookPart(ledger, user, { what: 'deposit', id, amount: '42', minutesAgo: 0 }, late);
}

/** A record of one user, and what the application leaves of it and of its posting. */
function bookRecord(
  ledger: LedgerBuilder,
  [user, other]: [User, User],
  what: 'deposit' | 'withdrawal',
  { crash, amount, pending, minutesAgo }: Booking,
): void {
  const post = what === 'deposit' ? 'postDeposit' : 'postWithdrawal';
  if (crash === 'record rolled back') {
    ledger[post](user, ledger.random.uuid(), amount, { minutesAgo });
    return;
  }
  const isPartial = ['not posted', 'header only', 'one leg', 'no header'].includes(crash);
  const { id, row, transaction } = ledger[what](user, amount, {
    status: pending ? 'pending' : 'completed',
    minutesAgo,
    ...((isPartial || pending) && { post: false }),
    ...(crash === 'other amount' && { postedAmount: '3.14' }),
    ...(crash === 'other user' && { postedTo: other }),
  });
  spoilRecord(crash, row);
  if (isPartial) bookPart(ledger, user, { what, id, amount, minutesAgo }, crash);
  if (transaction === null) return;
  spoil(crash, transaction);
  if (crash === 'posted twice') ledger[post](user, id, amount, { minutesAgo });
  if (crash === 'paid and refunded') ledger.reversal(transaction, { minutesAgo });
}

/** The header, and at most one of its two legs; or the legs alone. */
function bookPart(
  ledger: LedgerBuilder,
  user: User,
  { what, id, amount, minutesAgo }: { what: 'deposit' | 'withdrawal'; id: string; amount: string; minutesAgo: number },
  crash: Booking['crash'],
): void {
  if (crash === 'not posted') return;
  const [near, far] = what === 'deposit' ? [debit, credit] : [credit, debit];
  const legs: Side[] = [
    near(ledger.account(user, 'usdc_balance'), amount),
    far(ledger.systemAccount('system_buffer_usdc'), amount),
  ];
  if (crash === 'no header') {
    const lost = ledger.random.uuid();
    for (const leg of legs) ledger.entry(leg, lost, ledger.minutesAgo(minutesAgo));
    return;
  }
  const entries = crash === 'one leg' ? legs.slice(0, 1) : [];
  ledger.transaction({ type: what, user, reference: { id, type: what }, entries, minutesAgo });
}

function bookJob(ledger: LedgerBuilder, { crash, amount, pending, minutesAgo }: Booking): void {
  const { row, transaction } = ledger.conversionJob('usdc_to_usd', amount, {
    status: pending ? 'pending' : 'completed',
    minutesAgo,
    ...(crash === 'not posted' && { post: false }),
    ...(crash === 'other amount' && { postedAmount: '3.14' }),
  });
  if (crash === 'no link') row.ledger_transaction_id = null;
  spoilRecord(crash, row);
  if (crash === 'negative record') row.source_amount = '-5';
  spoil(crash, transaction);
}

/** A record that ends otherwise than its posting says, or says what nobody can make sense of. */
function spoilRecord(crash: Booking['crash'], row: { status: string; amount: string | null }): void {
  if (crash === 'unknown status') row.status = 'on_hold';
  if (crash === 'failed after all') row.status = 'failed';
  if (crash === 'negative record') row.amount = '-5';
}

/** A transaction that was written in another way than it was meant. */
function spoil(crash: Booking['crash'], transaction: Transaction | null): void {
  if (transaction === null) return;
  const { row, entries } = transaction;
  if (crash === 'marked failed') row.status = 'failed';
  if (crash === 'marked reversed') row.status = 'reversed';
  if (crash === 'negative entry') entries[0]!.amount = '-7.5';
  if (crash === 'other currency') entries[0]!.currency = entries[0]!.currency === 'USD' ? 'USDC' : 'USD';
  if (crash === 'legs differ') entries[0]!.amount = '3.14';
  if (crash === 'nothing moves') for (const entry of entries) entry.amount = '0';
}
