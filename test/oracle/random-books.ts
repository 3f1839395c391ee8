import { LedgerBuilder, type Transaction, type User, type When } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import type { Random } from '../support/random.ts';

/**
 * Random books that are mostly in order: users, records in every state, transactions, reversals of reversals. Three to
 * two dozen movements of money, or `least`.
 */
export function writeRandomBooks(seed: number, least = 0): LedgerBuilder {
  const ledger = new LedgerBuilder({ now: cutAt, seed });
  const { random } = ledger;
  const users = Array.from({ length: random.integer(1, 4) }, () => ledger.user());
  for (const user of users)
    if (random.chance(0.8)) ledger.openingBalance(user, '900000000000000000', { minutesAgo: 99_999 });
  for (let count = Math.max(random.integer(3, 24), least); count > 0; count -= 1)
    random.pick(movements)(ledger, random.pick(users));
  return ledger;
}

/**
 * Adds jobs that are posted in full, but name another transaction that carries their id: not all of those book it. What
 * they move, another one takes back.
 */
export function linkElsewhere(ledger: LedgerBuilder): LedgerBuilder {
  const { random } = ledger;
  for (let count = random.integer(0, 2); count > 0; count -= 1) {
    const { id, row } = ledger.conversionJob('usdc_to_usd', '7');
    const sizes = random.pick([
      ['3', '-3'],
      ['-3', '3'],
      ['0', '0'],
    ]);
    const turnInto = random.pick(namesakes);
    const [named] = sizes.map((size) => {
      const transaction = ledger.postConversionJob('usdc_to_usd', id, size, size);
      turnInto(transaction);
      return transaction;
    });
    row.ledger_transaction_id = named!.id;
  }
  return ledger;
}

/** What a posting of a job may turn into, and still carries the id of the job. */
const namesakes: readonly ((posting: Transaction) => unknown)[] = [
  () => undefined,
  ({ row }) => (row.reference_type = 'order'),
  ({ row }) => (row.reference_type = 'fee'),
  ({ id, row }) => (row.idempotency_key = `migration_${id}`),
  ({ row }) => (row.transaction_type = 'reversal'),
  ({ row }) => (row.status = 'failed'),
  ({ row }) => (row.status = 'pending'),
  ({ entries }) => entries.map((entry) => (entry.entry_type = 'sideways')),
];

type Movement = (ledger: LedgerBuilder, user: User) => unknown;

const movements: readonly Movement[] = [
  (ledger, user) => {
    reverseSome(ledger, ledger.deposit(user, amount(ledger.random), recordOptions(ledger.random, depositStates)));
  },
  (ledger, user) => {
    reverseSome(ledger, ledger.withdrawal(user, amount(ledger.random), recordOptions(ledger.random, withdrawalStates)));
  },
  (ledger) => {
    const direction = ledger.random.pick(['usdc_to_usd', 'usd_to_usdc'] as const);
    const options = { ...recordOptions(ledger.random, jobStates), rate: ledger.random.pick(['1', '0.9987', '1.25']) };
    const job = ledger.conversionJob(direction, amount(ledger.random), { ...options, fees: '0.000001' });
    if (ledger.random.chance(0.2)) job.row.destination_amount = null;
    if (job.row.destination_amount === null && options.rate === '1.25') job.row.exchange_rate = null; // nobody can tell
    if (ledger.random.chance(0.2)) job.row.fees_paid = null;
    reverseSome(ledger, job);
  },
  (ledger, user) => {
    const { id } = ledger.deposit(user, '7', { status: ledger.random.pick(['failed', 'completed']), post: false });
    postAndReverse(ledger, 'deposit', id, (when) => ledger.postDeposit(user, id, ledger.random.pick(['7', '8']), when));
  },
  (ledger) => {
    const { id } = ledger.conversionJob('usdc_to_usd', '7', { status: 'cancelled' });
    postAndReverse(ledger, 'conversion', id, (when) => ledger.postConversionJob('usdc_to_usd', id, '7', '6.5', when));
  },
  (ledger, user) => ledger.allocationSplit(user, amount(ledger.random), amount(ledger.random)),
  (ledger, user) => {
    const investment = ledger.investment(user, amount(ledger.random), { minutesAgo: minutes(ledger.random) });
    if (!ledger.random.chance(0.4)) return;
    const mirror = reverse(ledger, investment, { minutesAgo: ledger.random.pick([1, -1]) * minutes(ledger.random) });
    if (ledger.random.chance(0.3)) mirror.row.status = ledger.random.pick(['pending', 'pending', 'failed', null]);
  },
  (ledger, user) => reverse(ledger, ledger.divestment(user, '0.5', { minutesAgo: minutes(ledger.random) })),
  (ledger, user) => {
    const accounts = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')] as const;
    return ledger.internalTransfer(user, ...accounts, amount(ledger.random));
  },
  (ledger) => ledger.bufferReplenishment(amount(ledger.random)),
  (ledger, user) => {
    const { random } = ledger;
    const [from, to] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'spending_balance')];
    const { row } = ledger.internalTransfer(user, from, to, amount(random), {
      minutesAgo: random.pick([1, -1]) * minutes(random),
    });
    row.status = random.pick(['pending', 'pending', 'failed', null]);
  },
  (ledger, user) => {
    const { row } = ledger.transaction({ type: 'investment', user, minutesAgo: minutes(ledger.random), entries: [] });
    row.status = ledger.random.pick(['pending', 'failed', 'failed', 'completed', null]);
  },
];

const depositStates = [
  'pending',
  'confirmed',
  'off_ramp_initiated',
  'off_ramp_completed',
  'broker_funded',
  'completed',
  'completed',
  'failed',
  'reversed',
];
const withdrawalStates = [
  ...['pending', 'initiated', 'processing', 'alpaca_debited', 'due_processing', 'onchain_transfer'],
  ...['completed', 'completed', 'completed', 'completed', 'failed', 'reversed', 'timeout'],
];
const jobStates = [
  ...['pending', 'provider_submitted', 'provider_processing', 'provider_completed', 'ledger_updating'],
  ...['completed', 'completed', 'completed', 'completed', 'failed', 'cancelled'],
];

function recordOptions(random: Random, states: string[]) {
  return {
    status: random.pick(states),
    minutesAgo: minutes(random),
    settledAfterMinutes: random.pick([0, 1, 5, 24 * 60, 72 * 60]),
    ...(random.chance(0.15) && { post: random.chance(0.5) }),
    ...(random.chance(0.1) && { postedAmount: amount(random) }),
  };
}

/** On both sides of the grace period and of the deadlines, and exactly on them. */
function minutes(random: Random): number {
  const limit = random.pick([0, 5, 24 * 60, 72 * 60]);
  return Math.max(0, limit + random.pick([0, 0, 0.0001, -0.0001, 30]));
}

/** From one attounit to 10^17, and both in one number. */
export function amount(random: Random): string {
  const whole = random.pick([
    '0',
    '1',
    '100',
    '1000',
    String(random.integer(1, 99_999)),
    '9007199254740993',
    '100000000000000000',
  ]);
  const fraction = random.pick(['', '', '.01', '.000001', `.${random.integer(1, 999_999)}`, '.000000000000000001']);
  return whole === '0' && fraction === '' ? '0.5' : whole + fraction;
}

function reverseSome(
  ledger: LedgerBuilder,
  booked: ReturnType<LedgerBuilder['deposit' | 'withdrawal' | 'conversionJob']>,
): void {
  const { random } = ledger;
  if (booked.transaction === null || !random.chance(0.3)) return;
  const mirror = reverse(ledger, booked.transaction, { minutesAgo: minutes(random) });
  if (random.chance(0.3)) reverseInARow(ledger, mirror);
  else if (random.chance(0.3))
    Object.assign(mirror.row, { reference_id: booked.id, reference_type: booked.subject.split(':')[0]! });
}

/** The reversal of a reversal, and up to four more. */
function reverseInARow(ledger: LedgerBuilder, mirror: Transaction): void {
  let last = mirror;
  for (let count = ledger.random.integer(1, 5); count > 0; count -= 1) last = reverse(ledger, last);
}

/** Again and again, mostly by reversals that name the record, in any order. */
function postAndReverse(ledger: LedgerBuilder, kind: string, id: string, post: (when: When) => Transaction): void {
  const { random } = ledger;
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    const posted = post({ minutesAgo: minutes(random) });
    const mirror = reverse(ledger, posted, { minutesAgo: minutes(random) });
    if (random.chance(0.8)) Object.assign(mirror.row, { reference_id: id, reference_type: kind });
    if (random.chance(0.2)) posted.row.status = 'completed';
    if (random.chance(0.2)) reverse(ledger, mirror);
    for (const { row } of [posted, mirror])
      if (random.chance(0.15)) row.status = random.pick(['pending', 'failed', 'reversed', null]);
  }
}

/** In any of the words that a host may have for what it reverses, or in none. */
function reverse(ledger: LedgerBuilder, original: Transaction, when: When = {}): Transaction {
  const mirror = ledger.reversal(original, when);
  mirror.row.reference_type = ledger.random.pick([null, 'reversal', 'transaction', 'LEDGER_TRANSACTION']);
  return mirror;
}
