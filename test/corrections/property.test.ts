import { expect, test } from 'vitest';
import { approve, propose, stored } from '../../src/corrections/proposals.ts';
import { listCorrections, type StoredCorrection } from '../../src/corrections/store.ts';
import { undo } from '../../src/corrections/undo.ts';
import { inReadOnly } from '../../src/database/database.ts';
import { money, sum, toText } from '../../src/money.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { apply, describeMutation, randomMutation } from '../oracle/mutation.ts';
import { databaseWithoutConstraints } from '../support/database.ts';
import { emptyTables } from '../support/database-server.ts';
import { LedgerBuilder, type User } from '../support/ledger.ts';
import { Random } from '../support/random.ts';
import { cutAt, openPool } from '../support/run-check.ts';
import { operatorOf, type RunDocument } from '../support/world.ts';
import { deskOf, wordOf } from './desk.ts';

// Customers with random faults, fifty in one ledger: whatever is wrong with it, a run moves no more than it may, touches
// nothing else, and what was done can be taken back.

/** RECON_SEED replays one seed; RECON_SEEDS says how many, seventy if unset (`npm run test:long` asks for more). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '70' } = process.env;
const seeds =
  replayed === undefined ? Array.from({ length: Number(count) }, (_, index) => index + 1) : [Number(replayed)];
const perLedger = 50;

const { url, sql } = await databaseWithoutConstraints();
const database = openPool(url);

test(
  'a run with corrections on, a second one, and the undoing of all that was done',
  { timeout: 36_000_000 },
  async () => {
    let [corrected, posted] = [0, 0];
    for (let first = 0; first < seeds.length; first += perLedger) {
      const these = seeds.slice(first, first + perLedger);
      const story = await plant(these);
      const done = await checkLedger(new Random(these[0]!), `RECON_SEED of ${these.join(' ')}\n${story.join('\n')}`);
      corrected += done.corrected;
      posted += done.posted;
    }
    if (seeds.length >= perLedger) expect(Math.min(corrected, posted)).toBeGreaterThan(seeds.length / 10);
  },
);

/** A customer for each seed, with what is wrong with them; and now and then something that is wrong with the tables. */
async function plant(these: readonly number[]): Promise<string[]> {
  await emptyTables(sql);
  const ledger = new LedgerBuilder({ now: cutAt, seed: these[0]! });
  const later: Later[] = [];
  const story = these.map((seed) => `${seed}: ${plantOne(ledger, new Random(seed), later)}`);
  await ledger.save(sql);
  for (const change of later) await change();
  const { random } = ledger;
  const mutations = Array.from({ length: random.pick([0, 0, 1, 3]) }, () => randomMutation(random));
  for (const mutation of mutations) await database.begin((transaction) => apply(transaction, mutation));
  return [...story, ...mutations.map(describeMutation)];
}

/** What can be done only when the rows are stored. */
type Later = () => Promise<unknown>;

function plantOne(ledger: LedgerBuilder, random: Random, later: Later[]): string {
  const user = ledger.user();
  ledger.openingBalance(user, '1000', { minutesAgo: 99_999 });
  ledger.deposit(user, '30');
  ledger.investment(user, '12.5');
  const names = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, () => random.pick(Object.keys(faults)));
  for (const name of names) faults[name as keyof typeof faults]({ ledger, user, random, later });
  return names.join(', ');
}

interface Planting {
  ledger: LedgerBuilder;
  user: User;
  random: Random;
  later: Later[];
}

const drift =
  (...sizes: string[]) =>
  ({ ledger, user, random, later }: Planting) => {
    const { id } = ledger.account(user, random.pick(['usdc_balance', 'fiat_exposure'] as const));
    const by = random.pick(sizes);
    later.push(() => sql`update ledger_accounts set balance = balance + ${by}::numeric where id = ${id}`);
  };

const faults = {
  'a small drift': drift('0.000000000000000001', '-0.3', '1', '-1'),
  'another small drift': drift('0.25', '-0.000001'),
  'a drift that is not small': drift('1.000000000000000001', '-70', '5000', '-5000'),
  'a job without its link': ({ ledger, random }: Planting) => {
    const job = ledger.conversionJob(random.pick(['usdc_to_usd', 'usd_to_usdc'] as const), '7');
    job.row.ledger_transaction_id = null;
    if (random.chance(0.3))
      ledger.postConversionJob('usdc_to_usd', job.id, '7', '7').row.status = random.pick(['pending', 'failed']);
  },
  'a deposit that was not posted': ({ ledger, user, random }: Planting) =>
    ledger.deposit(user, random.pick(['0.5', '2500']), { post: false }),
  'a withdrawal that was not posted': ({ ledger, user, random }: Planting) =>
    ledger.withdrawal(user, random.pick(['0.5', '40', '250000']), { post: false }),
  'an amount that is off': ({ ledger, user, random }: Planting) =>
    ledger.deposit(user, '20', { postedAmount: random.pick(['19.5', '20.5', '2']) }),
  'a transaction that does not balance': ({ ledger, user }: Planting) => {
    ledger.investment(user, '2').entries[0]!.amount = '2.5';
  },
  'a record that is stuck': ({ ledger, user }: Planting) =>
    ledger.deposit(user, '0.7', { status: 'pending', minutesAgo: 3000 }),
};

async function checkLedger(random: Random, about: string): Promise<{ corrected: number; posted: number }> {
  const limits = { perRun: random.pick(['0', '3', '1000', '1000']), perDay: random.pick(['4', '1000', '1000']) };
  const { runs } = operatorOf(url, {
    RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true',
    RECONCILIATION_CORRECTION_MAX_PER_RUN: limits.perRun,
    RECONCILIATION_CORRECTION_MAX_PER_DAY: limits.perDay,
    RECONCILIATION_CORRECTION_MAX_OF_A_KIND: random.pick(['3', '1000', '1000']),
  });
  const before = await hostRows();
  const first = await runs();
  const after = await hostRows();
  const made = await appliedNow();
  expectWithin(made, limits, about);
  expect(changesBetween(before, after), about).toEqual(writtenBy(made));
  for (const { exception_id: id } of made)
    expect(first.exceptions.find((exception) => exception.id === id)?.['severity'], about).toBe('low');

  const second = await runs();
  expect(fingerprintsOf(second), about).toEqual(fingerprintsOf(first, made));
  if (!(await refusedForLimits(first.report.id))) expect(await appliedNow(), about).toEqual(made);

  const posted = await letTwoPeoplePost(second);
  const balances = await balancesNow();
  await undoAll();
  if (posted === 0) expect(await hostRows(), about).toEqual(before);
  else {
    expect(await balancesNow(), about).toEqual(balancesIn(before));
    expect(balances, about).not.toEqual(balancesIn(before));
  }
  return { corrected: made.length, posted };
}

function expectWithin(
  made: readonly StoredCorrection[],
  limits: { perRun: string; perDay: string },
  about: string,
): void {
  const amounts = made.map(({ amount }) => money(amount));
  for (const amount of amounts) expect(amount.lessThanOrEqualTo(1), about).toBe(true);
  for (const limit of Object.values(limits)) expect(sum(amounts).lessThanOrEqualTo(limit), about).toBe(true);
}

async function appliedNow(): Promise<StoredCorrection[]> {
  const { corrections } = await inReadOnly(database, (seen) =>
    listCorrections(seen, 'public', { states: ['applied'] }),
  );
  return corrections.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

async function refusedForLimits(reportId: string): Promise<boolean> {
  const { corrections } = await inReadOnly(database, (seen) =>
    listCorrections(seen, 'public', { states: ['refused'], reportId }),
  );
  return corrections.some(({ reason }) => reason?.startsWith('The limit of') === true);
}

/** What a run found, but for what was corrected. */
function fingerprintsOf({ exceptions }: RunDocument, corrected: readonly StoredCorrection[] = []): string[] {
  const gone = new Set(corrected.map(({ exception_id: id }) => id));
  return exceptions
    .filter(({ id }) => !gone.has(id))
    .map((exception) => String(exception['fingerprint']))
    .sort();
}

/** Every row of the host, by table and then as text. */
async function hostRows(): Promise<Map<string, Record<string, unknown>[]>> {
  const rows = new Map<string, Record<string, unknown>[]>();
  for (const table of hostTables)
    rows.set(table, (await sql`select * from ${sql(table)} as host_row order by host_row::text`).map(withPlainAmounts));
  return rows;
}

/** Without constraints the host keeps amounts at any scale: `7.0` and `7` are the same. */
function withPlainAmounts(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === 'string' ? textOf(value) : value]),
  );
}

const hostTables = [
  'ledger_accounts',
  'ledger_transactions',
  'ledger_entries',
  'deposits',
  'withdrawals',
  'conversion_jobs',
  'users',
];

type HostState = Awaited<ReturnType<typeof hostRows>>;

/** `table id column: after` for all that differs. A row that came or went is told too. */
function changesBetween(before: HostState, after: HostState): string[] {
  const changes: string[] = [];
  for (const table of hostTables) {
    const [was, is] = [before.get(table) ?? [], after.get(table) ?? []];
    const unchanged = new Set(was.map((row) => JSON.stringify(row)));
    for (const row of is.filter((one) => !unchanged.has(JSON.stringify(one)))) {
      const old = was.find(({ id }) => id === row['id']) ?? {};
      for (const [column, value] of Object.entries(row))
        if (JSON.stringify(value) !== JSON.stringify(old[column]))
          changes.push(`${table} ${String(row['id'])} ${column}: ${textOf(value)}`);
    }
    if (was.length !== is.length) changes.push(`${table} had ${was.length} rows and has ${is.length}`);
  }
  return changes.sort();
}

function textOf(value: unknown): string {
  const text = String(value);
  return /^-?\d+\.\d+$/.test(text) ? toText(money(text)) : text;
}

function writtenBy(made: readonly StoredCorrection[]): string[] {
  return made
    .flatMap(({ rows_written: rows }) => rows)
    .flatMap(({ table, id, after }) =>
      Object.entries(after).map(([column, value]) => `${table} ${id} ${column}: ${value ?? 'null'}`),
    )
    .sort();
}

function balancesIn(rows: HostState): unknown[] {
  return (rows.get('ledger_accounts') ?? []).map(({ id, balance }) => [id, balance]).sort();
}

async function balancesNow(): Promise<unknown[]> {
  return balancesIn(await hostRows());
}

const desk = deskOf(database, cutAt);

/** Proposes and approves what can be; what recon says no to is left. */
async function letTwoPeoplePost({ exceptions }: RunDocument): Promise<number> {
  let posted = 0;
  for (const { id, kind } of exceptions) {
    if (kind !== 'missing_in_ledger' && kind !== 'amount_mismatch') continue;
    const proposal = await propose(desk, id, wordOf('Ada')).catch((error: unknown) => {
      if (error instanceof OperatorError && error.exitCode === 2) return undefined;
      throw error;
    });
    if (proposal === undefined) continue;
    expect((await approve(desk, proposal, wordOf('Grace'))).state).toBe('applied');
    posted += 1;
  }
  return posted;
}

async function undoAll(): Promise<void> {
  for (const { id } of (await appliedNow()).reverse())
    expect((await undo(desk, await stored(desk, id), wordOf('Ada'))).state).toBe('applied');
}
