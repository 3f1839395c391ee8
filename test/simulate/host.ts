import type postgres from 'postgres';
import { credit, debit, LedgerBuilder, type Transaction, type User } from '../support/ledger.ts';
import type { Step } from './story.ts';

type Booking = Extract<Step, { does: 'book' }>;

/** The application whose books are reconciled: it books in the real tables, and breaks as such applications do. */
export class Host {
  readonly #sql: postgres.Sql;
  readonly #ledger: LedgerBuilder;
  readonly #users: [User, User];

  constructor(sql: postgres.Sql, now: Date) {
    this.#sql = sql;
    this.#ledger = new LedgerBuilder({ now, seed: 1 });
    this.#users = [this.#ledger.user(), this.#ledger.user()];
    for (const user of this.#users) this.#ledger.openingBalance(user, '100000', { minutesAgo: 99_999 });
  }

  /** Stores what was booked. */
  async save(): Promise<void> {
    await this.#ledger.save(this.#sql);
  }

  set now(now: Date) {
    this.#ledger.now = now;
  }

  async book(step: Booking): Promise<void> {
    const ledger = this.#ledger;
    const user = this.#users[step.user]!;
    const when = { minutesAgo: step.minutesAgo };
    const accounts = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')] as const;
    if (step.what === 'deposit' || step.what === 'withdrawal') this.#bookRecord(step.what, step, user);
    else if (step.what === 'conversion job') this.#bookJob(step);
    else if (step.what === 'investment') ledger.investment(user, step.amount, when);
    else if (step.what === 'split') ledger.allocationSplit(user, step.amount, '3', when);
    else ledger.internalTransfer(user, ...accounts, step.amount, when);
    await this.save();
    if (step.crash !== 'user deleted') return;
    await this.#sql`delete from wallets where user_id = ${user.id}`;
    await this.#sql`delete from users where id = ${user.id}`;
  }

  /** A record of one user, and what the application leaves of its posting. */
  #bookRecord(what: 'deposit' | 'withdrawal', { crash, amount, pending, minutesAgo }: Booking, user: User): void {
    const ledger = this.#ledger;
    const other = this.#users.find((one) => one !== user)!;
    const isPartial = ['not posted', 'header only', 'one leg'].includes(crash);
    const { id, transaction } = ledger[what](user, amount, {
      status: pending ? 'pending' : 'completed',
      minutesAgo,
      ...((isPartial || pending) && { post: false }),
      ...(crash === 'other amount' && { postedAmount: '3.14' }),
      ...(crash === 'other user' && { postedTo: other }),
    });
    if (isPartial) this.#bookPart(what, crash, user, { id, amount, minutesAgo });
    if (transaction === null) return;
    if (crash === 'posted twice')
      ledger[what === 'deposit' ? 'postDeposit' : 'postWithdrawal'](user, id, amount, { minutesAgo });
    if (crash === 'paid and refunded') ledger.reversal(transaction, { minutesAgo });
  }

  /** The header, and at most one of its two legs. */
  #bookPart(
    what: 'deposit' | 'withdrawal',
    crash: Booking['crash'],
    user: User,
    { id, amount, minutesAgo }: { id: string; amount: string; minutesAgo: number },
  ): void {
    if (crash === 'not posted') return;
    const leg = what === 'deposit' ? debit : credit;
    const entries = crash === 'one leg' ? [leg(this.#ledger.account(user, 'usdc_balance'), amount)] : [];
    this.#ledger.transaction({ type: what, user, reference: { id, type: what }, entries, minutesAgo });
  }

  #bookJob({ crash, amount, pending, minutesAgo }: Booking): void {
    const job = this.#ledger.conversionJob('usdc_to_usd', amount, {
      status: pending ? 'pending' : 'completed',
      minutesAgo,
      ...(crash === 'not posted' && { post: false }),
      ...(crash === 'other amount' && { postedAmount: '3.14' }),
    });
    if (crash === 'no link') job.row.ledger_transaction_id = null;
  }

  /** A deposit that was pending is completed, and posted if the application lives long enough. */
  async finish(which: number, posts: boolean): Promise<void> {
    const { now } = this.#ledger;
    const pending = await this.#sql<{ id: string; user_id: string; amount: string }[]>`
      select deposit.id, deposit.user_id, deposit.amount from deposits as deposit
      where deposit.status = 'pending' order by deposit.id`;
    const deposit = pending[which % pending.length];
    if (deposit === undefined) return;
    await this.#sql`
      update deposits set status = 'completed', confirmed_at = ${now}, alpaca_funded_at = ${now} where id = ${deposit.id}`;
    const user = this.#users.find(({ id }) => id === deposit.user_id)!;
    if (posts) this.#ledger.postDeposit(user, deposit.id, deposit.amount, { minutesAgo: 0 });
    await this.save();
  }

  /** Takes a transaction back. */
  async reverse(which: number): Promise<void> {
    const completed = await this.#sql<{ id: string; entries: Transaction['entries'] }[]>`
      select header.id, json_agg(entry) as entries
      from ledger_transactions as header
      inner join ledger_entries as entry on entry.transaction_id = header.id
      where header.status = 'completed' and header.idempotency_key not like 'migration%'
      group by header.id
      order by header.id`;
    const original = completed[which % completed.length];
    if (original === undefined) return;
    await this.#sql`update ledger_transactions set status = 'reversed' where id = ${original.id}`;
    const row = { user_id: null, status: '' } as unknown as Transaction['row'];
    this.#ledger.reversal({ ...original, subject: '', row }, { minutesAgo: 0 });
    await this.save();
  }

  /** A balance moves without an entry. Returns the subject: no time tells of it. */
  async drift(which: number, amount: string): Promise<string | undefined> {
    const accounts = await this.#sql<{ id: string }[]>`select id from ledger_accounts order by id`;
    const account = accounts[which % accounts.length];
    if (account === undefined) return undefined;
    await this.#sql`update ledger_accounts set balance = balance + ${amount}::numeric where id = ${account.id}`;
    return `account:${account.id}`;
  }

  /** Mends what an exception is about, where one statement does. */
  async mend(kind: string, subject: string): Promise<void> {
    const id = subject.slice(subject.indexOf(':') + 1);
    if (kind === 'balance_drift')
      await this.#sql`
        update ledger_accounts as account
        set balance = (
          select coalesce(sum(case entry.entry_type when 'debit' then entry.amount else -entry.amount end), 0)
          from ledger_entries as entry where entry.account_id = account.id
        )
        where account.id = ${id}`;
    if (kind === 'unlinked')
      await this.#sql`
        update conversion_jobs as job
        set ledger_transaction_id = (
          select header.id from ledger_transactions as header
          where header.reference_id = job.id order by header.id limit 1
        )
        where job.id = ${id}`;
    if (kind !== 'missing_in_ledger' || !subject.startsWith('deposit:')) return;
    const [deposit] = await this.#sql<{ user_id: string; amount: string }[]>`
      select user_id, amount from deposits where id = ${id}`;
    const user = this.#users.find((one) => one.id === deposit?.user_id);
    if (user === undefined || deposit === undefined) return;
    this.#ledger.postDeposit(user, id, deposit.amount, { minutesAgo: 0 });
    await this.save();
  }
}
