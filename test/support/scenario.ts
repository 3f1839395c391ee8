import { expect, test } from 'vitest';
import type { Finding } from '../../src/checks/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { CheckName } from '../../src/checks/names.ts';
import type { Database, Transaction as Connection } from '../../src/database/database.ts';
import type { KindName } from '../../src/kinds.ts';
import { LedgerBuilder, type Transaction, type User } from './ledger.ts';
import { cutAt, openPool, rolledBack, search, searchAll } from './run-check.ts';
import { databaseWithoutConstraints } from './database.ts';

/** The books that a scenario changes: what the builder collects is stored after every step. */
export interface Books {
  ledger: LedgerBuilder;
  sql: Connection;
  ada: User;
  bob: User;
  /** Stores what the builder collected, for a step that goes on with SQL. */
  save: () => Promise<void>;
  /** Sets every balance to its entries, after SQL changed them. */
  rebalance: () => Promise<void>;
  /** Reverses a transaction that is stored already. */
  reverse: (transaction: Transaction) => Promise<Transaction>;
}

type Step = (books: Books) => unknown;

/** Everything that a finding says but its sentence; what is left out is null. `also` is compared where it is given. */
export interface Expected extends Partial<
  Pick<Finding, 'expected' | 'actual' | 'difference' | 'currency' | 'affectedUserId'>
> {
  subject: string;
  severity: Finding['severity'];
  also?: KindName[];
}

export interface Planted {
  finding: Expected;
  /** What another check rightly says about the same fault: `check/kind/subject`. */
  elsewhere?: string[];
  repair: Step;
}

/** The four steps of one fault: clean books, a look-alike, the fault, its repair. */
export interface Scenario {
  kind: KindName;
  title: string;
  env?: Record<string, string>;
  /** What the check must not take for the fault. */
  lookAlike?: Step;
  /** Plants the fault and says what must be found, and how it is mended. */
  fault: (books: Books) => Planted | Promise<Planted>;
}

/** A database without the host's constraints, for the tests of a file. */
export async function faultyHost(): Promise<Database> {
  const { url } = await databaseWithoutConstraints();
  return openPool(url);
}

/** Runs `body` on clean books that are rolled back afterwards. */
export async function withBooks<T>(
  database: Database,
  body: (books: Books) => Promise<T>,
  options: { threeLegs: boolean } = { threeLegs: true },
): Promise<T> {
  return rolledBack(database, async (sql) => {
    const ledger = new LedgerBuilder({ now: cutAt, seed: 7 });
    const save = () => ledger.save(sql);
    const [ada, bob] = writeCleanBooks(ledger, options.threeLegs);
    await save();
    return body({
      ledger,
      sql,
      ada,
      bob,
      save,
      rebalance: () => rebalance(sql),
      reverse: async (transaction) => {
        await sql`update ledger_transactions set status = 'reversed' where id = ${transaction.id}`;
        return ledger.reversal(transaction);
      },
    });
  });
}

/**
 * Registers the four steps: once the clean books, which are the same for all, then look-alike, fault and repair of each
 * scenario. The fault is shown to every check, so that none of them cries along. And no kind may be forgotten.
 */
export function testScenarios(database: Database, check: CheckName, scenarios: readonly Scenario[]): void {
  test.each(scenarios)('$kind: $title', async ({ kind, env = {}, lookAlike, fault }) => {
    await withBooks(
      database,
      async (books) => {
        await lookAlike?.(books);
        await books.save();
        expect(await search(books.sql, check, { env }), 'look-alike').toEqual([]);
        const { finding, elsewhere = [], repair } = await fault(books);
        await books.save();
        const findings = await searchAll(books.sql, { env });
        expect(findings.map(identity).sort(), 'fault').toEqual(
          [`${check}/${kind}/${finding.subject}`, ...elsewhere].sort(),
        );
        const found = findings.find((candidate) => candidate.check === check && candidate.kind === kind)!;
        expect(summary(found, finding), 'fault').toEqual(whole(finding));
        expect(found.description).toContain(finding.subject.replace(':', ' '));
        await repair(books);
        await books.save();
        expect(await search(books.sql, check, { env }), 'repaired').toEqual([]);
      },
      { threeLegs: env['RECONCILIATION_ENTRIES_PER_TRANSACTION'] !== 'two' },
    );
  });

  test('clean books: nothing', async () => {
    await withBooks(database, async ({ sql }) => {
      expect(await searchAll(sql)).toEqual([]);
    });
  });

  test('every kind of the check has a scenario', () => {
    const tested = new Set(scenarios.map(({ kind }) => kind));
    expect(checks[check].kinds.filter((kind) => !tested.has(kind))).toEqual([]);
  });
}

/** `check/kind/subject`. */
export function identity({ check, kind, subject }: Finding): string {
  return `${check}/${kind}/${subject}`;
}

function summary(finding: Finding, { also }: Expected): Record<string, unknown> {
  const { subject, severity, expected, actual, difference, currency, affectedUserId, metadata } = finding;
  const rest = { subject, severity, expected, actual, difference, currency, affectedUserId };
  return also === undefined ? rest : { ...rest, also: metadata['also'] ?? [] };
}

function whole(finding: Expected): Record<string, unknown> {
  return { expected: null, actual: null, difference: null, currency: null, affectedUserId: null, ...finding };
}

/** A little of everything that is in order, so that each test also shows what stays silent. */
export function writeCleanBooks(ledger: LedgerBuilder, threeLegs: boolean): [User, User] {
  const [ada, bob] = [ledger.user(), ledger.user()];
  for (const user of [ada, bob]) {
    ledger.openingBalance(user, '400000000000000000', { minutesAgo: 50_000 });
    ledger.deposit(user, '1000.000000000000000001');
    ledger.investment(user, '200');
    ledger.divestment(user, '50');
    ledger.withdrawal(user, '25.5');
  }
  if (threeLegs) ledger.allocationSplit(ada, '70', '30');
  ledger.internalTransfer(ada, ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance'), '1000');
  ledger.bufferReplenishment('5000');
  ledger.conversionJob('usdc_to_usd', '500', { rate: '0.9995', fees: '0.25' });
  ledger.conversionJob('usd_to_usdc', '250', { destinationAmount: '249.9' });
  for (const status of ['pending', 'confirmed', 'failed']) ledger.deposit(ada, '5', { status });
  for (const status of ['initiated', 'onchain_transfer', 'timeout']) ledger.withdrawal(bob, '6', { status });
  for (const status of ['pending', 'provider_completed', 'cancelled'])
    ledger.conversionJob('usdc_to_usd', '7', { status });
  ledger.reversal(ledger.investment(bob, '3'));
  return [ada, bob];
}

/** What an operator would run after the entries were mended. */
async function rebalance(sql: Connection): Promise<void> {
  await sql`
    update ledger_accounts as account set balance = coalesce((
      select sum(case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end)
      from ledger_entries as entry
      where entry.account_id = account.id
    ), 0)`;
}
