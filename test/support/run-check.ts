import { afterAll, expect } from 'vitest';
import type { Comparison, Cut, Finding, Window } from '../../src/checks/check.ts';
import { searchFindings } from '../../src/checks/findings.ts';
import { checks } from '../../src/checks/index.ts';
import { checkNames, type CheckName } from '../../src/checks/names.ts';
import { Shared } from '../../src/checks/shared.ts';
import { parseConfig, type Config } from '../../src/config.ts';
import type { BegunReading } from '../../src/custodians/custodian.ts';
import { everything, paramsOf as cutParams } from '../../src/run/cut.ts';
import { inSavepoint, openDatabase, type Database, type Transaction } from '../../src/database/database.ts';
import { openSource, type Params } from '../../src/source.ts';

/** The moment of the cut in every test of a check: what happens in them is told in minutes before it. */
export const cutAt = new Date('2026-03-01T12:00:00Z');

/** The checks that need nothing but the database. */
export const databaseChecks = checkNames.filter((name) => checks[name].read === undefined);

/** What `env` leaves out has its default. */
export function configOf(env: Record<string, string> = {}): Config {
  return parseConfig({ DATABASE_URL: 'postgres://nobody@localhost/nothing', ...env });
}

export interface CheckOptions {
  env?: Record<string, string>;
  /** Narrows the run: `since`, `until`, `user_id`; or moves the cut: `as_of`. */
  params?: Partial<Params>;
  /** Subjects with an open exception. */
  known?: Cut['known'];
  /** What a custodian said. */
  reading?: BegunReading;
  /** What an hourly run covers. */
  window?: Window;
  /** What other checks of the same cut have read. */
  shared?: Shared;
}

/** The parameters that a run over everything would bind. */
export function paramsOf(name: CheckName, { env, params }: CheckOptions = {}): Params {
  const config = configOf(env);
  return {
    ...cutParams(config, everything, cutAt.toISOString(), '20260301'),
    ...checks[name].params(config),
    ...params,
  };
}

/** Runs one check on what the transaction sees, read-only, as a run does it. */
export async function runCheck(
  transaction: Transaction,
  name: CheckName,
  options: CheckOptions = {},
): Promise<Comparison & { findings: Finding[] }> {
  return inCut(transaction, name, options, async (cut) => {
    const findings: Finding[] = [];
    return { ...(await checks[name].compare(cut, options.reading, (finding) => findings.push(finding))), findings };
  });
}

/**
 * What one check of the database finds when it looks at everything. What it finds by its proof must be the same: every
 * test that searches also holds the one against the other.
 */
export async function search(
  transaction: Transaction,
  name: CheckName,
  options: CheckOptions = {},
): Promise<Finding[]> {
  return (await searchUpTo(Infinity, transaction, name, options)).findings;
}

/** The same with a limit, as a check has one. */
export async function searchUpTo(
  limit: number,
  transaction: Transaction,
  name: CheckName,
  options: CheckOptions = {},
): Promise<{ findings: Finding[]; truncated: boolean }> {
  const { findings: statement } = checks[name].statements;
  return inCut(transaction, name, options, async (cut) => {
    const findings: Finding[] = [];
    const searched = await searchFindings(cut, name, statement!, (finding) => findings.push(finding), limit);
    const proven: Finding[] = [];
    if (limit === Infinity) {
      await checks[name].compare(cut, undefined, (finding) => proven.push(finding));
      expect(proven.toSorted(bySubject), 'found by the proof').toEqual(findings.toSorted(bySubject));
    }
    return { ...searched, findings };
  });
}

function bySubject(left: Finding, right: Finding): number {
  return left.subject < right.subject ? -1 : 1;
}

/** What all checks of the database find together. */
export async function searchAll(transaction: Transaction, options: CheckOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  const shared = new Shared(); // as in a run
  for (const name of databaseChecks) findings.push(...(await search(transaction, name, { ...options, shared })));
  return findings;
}

/** Gives `body` what a check sees of a run. */
export async function inCut<T>(
  transaction: Transaction,
  name: CheckName,
  options: CheckOptions,
  body: (cut: Cut) => Promise<T>,
): Promise<T> {
  const config = configOf(options.env);
  return undone(
    (run) => inSavepoint(transaction, run),
    async (savepoint) => {
      await savepoint`set transaction read only`; // until the savepoint is rolled back
      const source = openSource(config.source);
      return body({
        transaction: savepoint,
        source,
        config,
        params: paramsOf(name, options),
        shared: options.shared ?? new Shared(),
        known: options.known ?? {},
        ...(options.window && { window: options.window }),
        horizon: { through: cutAt.toISOString(), heldBack: null, history: '', transactions: '0' },
      });
    },
  );
}

/** A pool on a test's database, closed when the file's tests are over. */
export function openPool(url: string): Database {
  const database = openDatabase(url, { connections: 2 });
  afterAll(() => database.end());
  return database;
}

/** Runs `body` in one repeatable-read transaction and rolls it back: the next test finds the database as it was. */
export async function rolledBack<T>(database: Database, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return undone(
    (run) => database.begin('isolation level repeatable read', run),
    async (transaction) => {
      await transaction`set local jit = off`; // compiling would take longer than a test's few rows
      return body(transaction);
    },
  );
}

/** Lets `body` run inside a transaction or savepoint that is rolled back also when `body` succeeds. */
async function undone<T>(
  begin: (run: (transaction: Transaction) => Promise<never>) => Promise<unknown>,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const undo = new Error('rolled back on purpose');
  let result: { value: T } | undefined;
  await begin(async (transaction) => {
    result = { value: await body(transaction) };
    throw undo;
  }).catch((error: unknown) => {
    if (error !== undo) throw error;
  });
  return result!.value;
}
