import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { inReadOnly, openDatabase, type Database, type Transaction } from '../database/database.ts';
import { explainProblem } from '../database/problem.ts';
import { Incomplete } from '../incomplete.ts';
import { lockTimeoutMs } from './timeout.ts';
import { writersOf, type Writers } from './horizon.ts';

/** The database of recon's own tables, and the one that the checks read: the same pool, or another's. */
export interface Databases {
  main: Database;
  source: Database;
}

/** Gives `body` what a cut is taken from, in pools of its own: what they lose, nobody else needs. */
export async function withDatabases<T>(
  config: Config,
  signal: AbortSignal | undefined,
  body: (databases: Databases) => Promise<T>,
): Promise<T> {
  const { databaseUrl, sourceDatabaseUrl } = config;
  const options = { lockTimeoutMs: lockTimeoutMs(config), ...(signal !== undefined && { signal }) };
  const source = openDatabase(sourceDatabaseUrl, { connections: 2, ...options });
  const main = sourceDatabaseUrl === databaseUrl ? source : openDatabase(databaseUrl, { connections: 1, ...options });
  try {
    return await body({ main, source });
  } finally {
    await Promise.all([main.end({ timeout: 1 }), source.end({ timeout: 1 })]);
  }
}

/**
 * Who was writing before a snapshot that is taken next. Of a replica they are asked on the main database, and it is
 * waited for until the replica has replayed what the main database had written by then: so whatever the snapshot does
 * not show was still open, or began later. Throws Incomplete if the replica cannot be used, or lags for too long.
 */
export async function writersBefore(databases: Databases, config: Config, signal: AbortSignal): Promise<Writers> {
  const { main, source } = databases;
  if (main === source) return inReadOnly(main, writersOf);
  const replica = await replicaOf(databases, config);
  if (replica === undefined) return inReadOnly(source, writersOf);
  const writers = await inReadOnly(main, (transaction) => writersOf(transaction, replica.name));
  await catchUp(databases, signal);
  return writers;
}

interface Identity {
  standby: boolean;
  /** A server and its replicas have the same. */
  system: string;
  /** Of the database. */
  name: string;
  /** Whether it is filled by logical replication. */
  subscribed: boolean;
}

/** What the source is if it is a streaming replica. Throws Incomplete if it is one that nobody can rely on. */
export async function replicaOf({ main, source }: Databases, config: Config): Promise<Identity | undefined> {
  const replica = await inReadOnly(source, identify).catch((error: unknown) => {
    throw unusable(error, config) ?? error;
  });
  if (replica.subscribed)
    throw new Incomplete(
      'SOURCE_DATABASE_URL names a database that is filled by logical replication: how far that has come cannot be told. Use a streaming replica.',
      78,
    );
  if (!replica.standby) return undefined;
  if (replica.system !== (await inReadOnly(main, identify)).system)
    throw new Incomplete('SOURCE_DATABASE_URL names a replica of another server than that of DATABASE_URL.', 78);
  return replica;
}

async function identify(transaction: Transaction): Promise<Identity> {
  const [row] = await transaction<Identity[]>`
    select
      pg_is_in_recovery() as standby,
      control.system_identifier::text as system,
      current_database() as name,
      exists (
        select
        from pg_catalog.pg_subscription as subscription
        inner join pg_catalog.pg_database as own on own.oid = subscription.subdbid
        where own.datname = current_database()
      ) as subscribed
    from pg_control_system() as control
  `;
  if (row === undefined) throw new Error('The database did not say what it is.');
  return row;
}

/** Why nothing can be read there; undefined: a bug. */
function unusable(error: unknown, { sourceDatabaseUrl }: Config): Incomplete | undefined {
  const explained = explainProblem(error, sourceDatabaseUrl, 'SOURCE_DATABASE_URL');
  return explained && new Incomplete(`${explained.message} ${explained.hint}`, explained.exitCode, { cause: error });
}

/** A replica that is busy catches up in that time, or has trouble of its own. */
const patienceMs = 120_000;
const pollMs = 100;

/** Waits until the replica has replayed all that is committed by now. Throws Incomplete if that takes too long. */
export async function catchUp({ main, source }: Databases, signal: AbortSignal): Promise<void> {
  const position = await inReadOnly(main, written);
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const lag = await inReadOnly(source, (transaction) => lagOf(transaction, position));
    if (!lag.behind) return;
    if (waitedMs >= patienceMs || signal.aborted) throw new Incomplete(describeLag(lag));
    await sleep(pollMs, undefined, { signal }).catch(() => undefined); // it is looked once more, to say how far it is
  }
}

/**
 * A position in the log of the main database before which all stands, on disk, that is committed by now. A commit with
 * `synchronous_commit` off gets there within three times wal_writer_delay (PostgreSQL, "Asynchronous Commit"); what is
 * not committed may never get there.
 */
async function written(transaction: Transaction): Promise<string> {
  const [begun] = await transaction<{ position: string; patience_ms: number }[]>`
    select
      pg_current_wal_insert_lsn()::text as position,
      (3000 * extract(epoch from current_setting('wal_writer_delay')::interval))::integer as patience_ms
  `;
  if (begun === undefined) throw new Error('The database did not say how far it is.');
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const [now] = await transaction<{ position: string; all: boolean }[]>`
      select
        flushed.position::text as position,
        flushed.position >= ${begun.position}::pg_lsn as all
      from pg_current_wal_flush_lsn() as flushed (position)
    `;
    if (now !== undefined && (now.all || waitedMs >= begun.patience_ms)) return now.position;
    await sleep(pollMs);
  }
}

interface Lag {
  behind: boolean;
  size: string;
  /** Since the last transaction that was replayed was committed; null: none was yet. */
  seconds: number | null;
}

/** How far the replica is behind that position. */
async function lagOf(transaction: Transaction, position: string): Promise<Lag> {
  const [lag] = await transaction<Lag[]>`
    select
      coalesce(pg_last_wal_replay_lsn() < ${position}::pg_lsn, true) as behind,
      coalesce(pg_size_pretty(pg_wal_lsn_diff(${position}::pg_lsn, pg_last_wal_replay_lsn())), 'all') as size,
      extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::integer as seconds
  `;
  if (lag === undefined) throw new Error('The replica did not say how far it is.');
  return lag;
}

function describeLag({ size, seconds }: Lag): string {
  const age = seconds === null ? '' : `, and the last transaction there is ${seconds} s old`;
  return `The replica of SOURCE_DATABASE_URL lags: ${size} of what the main database has written are not replayed yet${age}.`;
}
