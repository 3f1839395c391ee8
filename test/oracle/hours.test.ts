import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { databaseWithoutConstraints } from '../support/database.ts';
import { LedgerBuilder, type Transaction, type User } from '../support/ledger.ts';
import type { Random } from '../support/random.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, type RunDocument } from '../support/world.ts';
import { amount, writeRandomBooks } from './random-books.ts';

/** RECON_SEED replays one seed; RECON_SEEDS says how many, one if unset (`npm run test:long` asks for more). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '1' } = process.env;
const seeds =
  replayed === undefined ? Array.from({ length: Number(count) }, (_, index) => index + 1) : [Number(replayed)];

/** How many hourly runs follow one over everything: `manual`, which is `daily` without the canary. */
const hours = 8;

test.each(seeds)(
  'hour by hour, what changed is found as if everything were looked at, on seed %i',
  { timeout: 240_000 },
  async (seed) => {
    const { url, sql } = await databaseWithoutConstraints();
    const { runs } = operatorOf(url);
    const ledger = writeRandomBooks(seed);
    const users = [ledger.user(), ledger.user()];
    await ledger.save(sql);
    for (let hour = 0; hour <= hours; hour += 1) {
      ledger.now = new Date(cutAt.getTime() + hour * 3_600_000);
      const story = hour === 0 ? [] : await passAnHour(sql, ledger, users);
      const moment = { now: ledger.now, asOf: ledger.now };
      // now and then a run is left out: the next window is longer
      if (hour > 0 && ledger.random.chance(0.2)) continue;
      const everything = await runs(['--type', 'manual', '--dry-run'], moment);
      const run = await runs(['--type', hour === 0 ? 'manual' : 'hourly'], moment);
      expect(found(run), `RECON_SEED=${seed}, hour ${hour}\n${story.join('\n')}`).toEqual(found(everything));
      if (hour > 0) expect(run.checks.map(({ metadata }) => metadata['coverage'])).not.toContain('everything');
    }
  },
);

function found({ exceptions }: RunDocument): string[] {
  return exceptions
    .map(
      ({ check_type: check, kind, affected_entity: subject, difference }) =>
        `${String(check)}/${kind}/${subject} ${String(difference)}`,
    )
    .sort();
}

type Change = (sql: postgres.Sql, ledger: LedgerBuilder, user: User) => string | Promise<string>;

async function passAnHour(sql: postgres.Sql, ledger: LedgerBuilder, users: User[]): Promise<string[]> {
  const story: string[] = [];
  for (let count = ledger.random.integer(0, 6); count > 0; count -= 1) {
    story.push(await ledger.random.pick(changes)(sql, ledger, ledger.random.pick(users)));
    await ledger.save(sql);
  }
  return story;
}

/** Within the hour, or as late as a commit may come. */
const within = (random: Random) => ({ minutesAgo: random.integer(0, 74) });

const changes: readonly Change[] = [
  (_sql, ledger, user) => {
    const status = ledger.random.pick(['pending', 'confirmed', 'completed', 'completed', 'failed']);
    const deposit = ledger.deposit(user, amount(ledger.random), {
      status,
      ...within(ledger.random),
      ...booking(ledger.random),
    });
    return `${deposit.subject} ${status}${spoil(ledger.random, deposit.transaction)}`;
  },
  (_sql, ledger, user) => {
    const status = ledger.random.pick(['initiated', 'completed', 'completed', 'timeout']);
    const withdrawal = ledger.withdrawal(user, amount(ledger.random), {
      status,
      ...within(ledger.random),
      ...booking(ledger.random),
    });
    return `${withdrawal.subject} ${status}${spoil(ledger.random, withdrawal.transaction)}`;
  },
  (_sql, ledger) => {
    const status = ledger.random.pick(['pending', 'completed', 'completed', 'cancelled']);
    const job = ledger.conversionJob('usdc_to_usd', amount(ledger.random), {
      status,
      ...within(ledger.random),
      ...booking(ledger.random),
    });
    if (ledger.random.chance(0.2)) job.row.ledger_transaction_id = null;
    return `${job.subject} ${status}${spoil(ledger.random, job.transaction)}`;
  },
  (_sql, ledger, user) => {
    const orphan = ledger.postDeposit(user, ledger.random.uuid(), '3', within(ledger.random));
    return `${orphan.subject} books nothing`;
  },
  (_sql, ledger, user) => {
    const investment = ledger.investment(user, amount(ledger.random), within(ledger.random));
    return `${investment.subject} invests${spoil(ledger.random, investment)}`;
  },
  async (sql, ledger) => {
    const [original] = await sql<{ id: string; entries: Transaction['entries'] }[]>`
      select header.id, (select json_agg(entry) from ledger_entries as entry where entry.transaction_id = header.id) as entries
      from ledger_transactions as header
      where header.status = 'completed'
        and exists (select from ledger_entries as entry where entry.transaction_id = header.id)
      order by header.id offset ${ledger.random.integer(0, 9)} limit 1`;
    if (original === undefined) return 'nothing to reverse';
    await sql`update ledger_transactions set status = 'reversed' where id = ${original.id}`;
    const subject = `transaction:${original.id}`;
    const row = { user_id: null, status: '' } as unknown as Transaction['row'];
    ledger.reversal({ ...original, subject, row }, { minutesAgo: ledger.random.integer(0, 59) });
    return `${subject} is reversed`;
  },
  async (sql, ledger) => {
    const status = ledger.random.pick(['completed', 'failed', 'confirmed']);
    const changed = await sql<{ id: string }[]>`
      update deposits set status = ${status}
      where id = (select id from deposits where status in ('pending', 'confirmed') order by id limit 1) returning id`;
    return `deposit:${changed[0]?.id} becomes ${status}`;
  },
  async (sql) => {
    const changed = await sql<{ id: string }[]>`
      update ledger_transactions set status = 'completed'
      where id = (select id from ledger_transactions where status = 'pending' order by id limit 1) returning id`;
    return `transaction:${changed[0]?.id} is completed`;
  },
  async (sql) => {
    const [mended] = await sql<{ account_id: string }[]>`
      update ledger_accounts as account
      set balance = (
        select coalesce(sum(case entry.entry_type when 'debit' then entry.amount else -entry.amount end), 0)
        from ledger_entries as entry where entry.account_id = account.id
      )
      where 'account:' || account.id in (
        select affected_entity from reconciliation_exceptions where kind = 'balance_drift' and resolved_at is null
      )
      returning account.id as account_id`;
    return `account:${mended?.account_id} is set right`;
  },
  async (sql, ledger, user) => {
    const { id, subject } = ledger.account(user, 'usdc_balance');
    ledger.deposit(user, '5', within(ledger.random));
    await ledger.save(sql);
    await sql`update ledger_accounts set balance = balance + ${ledger.random.pick(['0.01', '-5'])} where id = ${id}`;
    return `${subject} drifts`;
  },
];

function booking(random: Random) {
  return {
    ...(random.chance(0.2) && { post: random.chance(0.5) }),
    ...(random.chance(0.15) && { postedAmount: amount(random) }),
  };
}

/** Something may go wrong while it is written. */
function spoil(random: Random, transaction: Transaction | null): string {
  if (transaction === null || random.chance(0.6)) return '';
  const entry = random.pick(transaction.entries);
  const spoiled = random.pick<[string, () => unknown]>([
    ['amount', () => (entry.amount = random.pick(['0', '-7.5', 'NaN', '123.000000000000000001']))],
    ['currency', () => (entry.currency = random.pick(['USD', 'USDC', 'EUR']))],
    ['entry_type', () => (entry.entry_type = random.pick(['debit', 'credit', 'neither']))],
    ['account', () => (entry.account_id = random.uuid())],
    ['status', () => (transaction.row.status = random.pick(['pending', 'failed', 'reversed']))],
    ['type', () => (transaction.row.transaction_type = random.pick(['internal_transfer', 'reversal', 'conversion']))],
    ['reference', () => (transaction.row.reference_id = random.pick([null, random.uuid()]))],
    ['expects no record', () => (transaction.row.idempotency_key = `migration_${transaction.id}`)],
  ]);
  spoiled[1]();
  return `, ${spoiled[0]} spoiled`;
}
