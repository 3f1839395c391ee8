import type { Cut, Horizon } from '../checks/check.ts';
import { Shared } from '../checks/shared.ts';
import type { Config } from '../config.ts';
import { cancelledBy } from '../database/cancel.ts';
import { inSavepoint, inTransaction, type Transaction } from '../database/database.ts';
import { letIdle } from '../database/held-lock.ts';
import {
  databaseProblem,
  hidesRows,
  howToGetConnections,
  lockedText,
  type DatabaseProblem,
} from '../database/problem.ts';
import { toInterval } from '../duration.ts';
import { clockTolerance, distance, hiddenDistance, type Writers } from './horizon.ts';
import { Incomplete } from '../incomplete.ts';
import type { Params, Source } from '../source.ts';
import { writersBefore, type Databases } from './source-database.ts';

/** What a manual run may be narrowed to. Times are RFC 3339; the window is half-open. */
export interface Scope {
  since: string | null;
  until: string | null;
  userId: string | null;
}

export const everything: Scope = { since: null, until: null, userId: null };

export interface CutOptions {
  config: Config;
  source: Source;
  scope: Scope;
  /** Fixes the moment of the cut; undefined: the database's clock at the snapshot. */
  asOf: Date | undefined;
  /** Of the hashes of the proofs: any number that nobody can know before the run. */
  seed: string;
  /** Subjects of each check with an open exception. */
  known: Cut['known'];
  /** Cancels the statement that runs when it is aborted. */
  signal: AbortSignal;
}

/** Opens the one snapshot that all checks of a run see, and gives it to `body`. It can only read. */
export async function withCut<T>(
  databases: Databases,
  options: CutOptions,
  body: (cut: Cut) => Promise<T>,
): Promise<T> {
  const { source: database } = databases;
  const writers = await writersBefore(databases, options.config, options.signal);
  return inTransaction(database, 'isolation level repeatable read, read only', async (transaction) => {
    await prepare(transaction);
    const { as_of: asOf, horizon, held_back: heldBack } = await timesOf(transaction, options.asOf, writers);
    const { config, source, scope } = options;
    const cut: Cut = {
      transaction,
      source,
      config,
      params: paramsOf(config, scope, asOf, options.seed),
      shared: new Shared(),
      known: options.known,
      horizon: { through: horizon, heldBack, ...(await historyOf(transaction)) },
    };
    return cancelledBy(options.signal, database, transaction, () => body(cut));
  });
}

async function prepare(transaction: Transaction): Promise<void> {
  await transaction`set local statement_timeout = 0`; // the run's own deadline cancels
  await letIdle(transaction);
  await transaction`set local work_mem = '64MB'`;
  await transaction`set local jit = off`; // compiling costs more than it saves on statements of this size
}

/** The moment of the cut, and how far back from it a commit may still come that the snapshot does not show. */
async function timesOf(
  transaction: Transaction,
  fixed: Date | undefined,
  { oldest, hidden }: Writers,
): Promise<{ as_of: string; horizon: string; held_back: string | null }> {
  const [times] = await transaction<{ as_of: string; horizon: string; held_back: string | null }[]>`
    with
    cut as (
      select coalesce(${fixed?.toISOString() ?? null}::timestamptz, transaction_timestamp()) as as_of
    ),
    reach as (
      select
        cut.as_of,
        cut.as_of - ${hidden ? hiddenDistance : distance}::interval as through,
        ${oldest}::timestamptz - ${clockTolerance}::interval as through_oldest
      from cut
    )
    select
      reach.as_of,
      least(reach.through, reach.through_oldest) as horizon,
      case
        when reach.through_oldest < reach.through then 'a transaction is open since ' || ${oldest}::text
        when ${hidden} then 'the transactions of others are hidden from this role'
      end as held_back
    from reach
  `;
  if (times === undefined) throw new Error('The database gave no time.');
  return times;
}

/** Where the cut stands in the history of the database. */
async function historyOf(transaction: Transaction): Promise<Pick<Horizon, 'history' | 'transactions'>> {
  const [row] = await transaction<{ oid: string; transactions: string }[]>`
    select own.oid::text as oid, pg_snapshot_xmax(pg_current_snapshot())::text as transactions
    from pg_catalog.pg_database as own
    where own.datname = current_database()
  `;
  if (row === undefined) throw new Error('The database did not say which it is.');
  return { history: `${row.oid} ${await timelineOf(transaction)}`, transactions: row.transactions };
}

/** It rises where a backup is recovered to a moment, and where a replica takes over. Not every service tells it. */
async function timelineOf(transaction: Transaction): Promise<string> {
  try {
    const [row] = await inSavepoint(
      transaction,
      (savepoint) =>
        savepoint<{ timeline: string }[]>`select timeline_id::text as timeline from pg_control_checkpoint()`,
    );
    return row?.timeline ?? 'unknown';
  } catch (error) {
    if (databaseProblem(error) === undefined) throw error;
    return 'unknown';
  }
}

/** The parameters that all checks share; each adds its own. */
export function paramsOf(config: Config, scope: Scope, asOf: string, seed = '0'): Params {
  return {
    as_of: asOf,
    grace_period: toInterval(config.gracePeriodMs),
    deadline: toInterval(config.stuckAfterMs),
    entries_per_transaction: config.entriesPerTransaction === 'two' ? 2 : null,
    since: scope.since,
    until: scope.until,
    user_id: scope.userId,
    record_kind: null,
    custodian: null,
    amounts: [],
    transactions: null,
    accounts: null,
    records: null,
    entries: null,
    seed,
    kinds_with_user: [],
  };
}

const incompleteBecause: Record<string, { reason: (problem: DatabaseProblem) => string; exitCode: 3 | 78 }> = {
  '42P01': { reason: ({ message }) => `A table that this check reads does not exist: ${message}.`, exitCode: 78 },
  '42703': { reason: ({ message }) => `A column that this check reads does not exist: ${message}.`, exitCode: 78 },
  '42501': {
    reason: (problem) =>
      hidesRows(problem)
        ? `Row-level security hides rows from this role: ${problem.message}. Grant it bypassrls, or a policy-free view.`
        : `This role may not read what the check needs: ${problem.message}. Grant it select.`,
    exitCode: 78,
  },
  '40001': {
    reason: ({ message }) =>
      `The replica ended the reading to go on replaying: ${message}. Set hot_standby_feedback there, or raise max_standby_streaming_delay.`,
    exitCode: 3,
  },
  '53300': {
    reason: ({ message }) => `The server gives this role no further connection: ${message}. ${howToGetConnections}`,
    exitCode: 3,
  },
  '55P03': {
    reason: ({ message }) =>
      `Somebody else held a table that this check reads locked for too long: ${message}. Often it is a migration that was left open.`,
    exitCode: 3,
  },
  '3F000': { reason: ({ message }) => `A schema that this check reads does not exist: ${message}.`, exitCode: 78 },
  '22P02': {
    reason: ({ message }) => `A value cannot be read as the type that the source says: ${message}.`,
    exitCode: 78,
  },
};

/**
 * Why a check that PostgreSQL stopped proves nothing; undefined for an error that did not come from the database. `locked`:
 * what was locked by then (`lockedFor`), where that may be why.
 */
export function whyIncomplete(error: unknown, locked?: string): Incomplete | undefined {
  if (error instanceof Incomplete) return error;
  const problem = databaseProblem(error);
  if (problem === undefined) return undefined;
  const known = incompleteBecause[problem.code];
  const why = known?.reason(problem) ?? `The database could not answer: ${problem.message} (${problem.code}).`;
  const reason = `${why}${lockedText(problem.code, locked)}`;
  return new Incomplete(reason, known?.exitCode ?? (isMistakeInSql(problem.code) ? 78 : 3), { cause: error });
}

/** Class 42: a syntax error, a type that does not fit, a function that is not there. It will be the same next time. */
function isMistakeInSql(code: string): boolean {
  return /^42[0-9A-Z]{3}$/.test(code);
}
