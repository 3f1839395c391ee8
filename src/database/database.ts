import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { arrayTypes, type Items } from './arrays.ts';
import { blockerOf, holdersText, type Holder } from './session.ts';
import { isTimeout, operatorProblem, statementOf, type UrlVariable } from './problem.ts';
import { Dialer } from './dialing.ts';
import { Lifeline } from './lost-connection.ts';
import { OperatorError } from '../operator-error.ts';
import { shipped } from '../shipped.ts';
import { parametersOf, settingsOf, tlsOf, withoutParameters } from './url-parameters.ts';

/** A pool of connections. It takes no statement by itself: see `inTransaction`. */
export type Database = Pick<postgres.Sql<Types>, 'begin' | 'end'>;

/**
 * What statements are sent to. Times come back as RFC 3339 text in UTC with microseconds, `numeric` and `bigint` as text.
 */
export type Transaction = postgres.TransactionSql<Types>;

/** What a value may be when it is bound as a parameter. */
export type Parameter = string | number | boolean | null | Date | string[];

type Types = { timestamp: string; texts: Items; numbers: Items };

/**
 * `2026-11-22 17:00:00.123456+00` (the session's time zone is UTC, its DateStyle ISO) becomes `2026-11-22T17:00:00.123456Z`;
 * what no year of four digits tells stays as it is. Throws an OperatorError for any other text: nobody knows which day it is.
 */
export function toRfc3339(text: string): string {
  if (/^-?infinity$|^\d{4,}-\d\d-\d\d .* BC$/.test(text)) return text;
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00$/.exec(text);
  if (match !== null) return `${match[1] ?? ''}T${match[2] ?? ''}Z`;
  throw new OperatorError(
    78,
    'The database gives times in another form than ISO 8601 in UTC: what stands between took no start-up parameters.',
    "Have the pooler pass on DateStyle and TimeZone, or give them to the role: alter role … set datestyle = 'ISO'; alter role … set timezone = 'UTC';",
  );
}

const timestamps = {
  to: 1184,
  from: [1184],
  serialize: (value: string | Date): string => (value instanceof Date ? value.toISOString() : value),
  parse: toRfc3339,
};

/**
 * Whatever a role or database has by itself, texts mean the same. PgBouncer passes on these and no others (PgBouncer,
 * "ignore_startup_parameters").
 */
const connection = {
  application_name: 'recon',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  standard_conforming_strings: 'on',
};

export interface DatabaseOptions {
  /** Largest number of connections at a time. */
  connections: number;
  /** Aborted when nobody waits any longer: ends attempts to connect, not what is connected. */
  signal?: AbortSignal;
  /** How long a transaction waits for a lock that somebody else holds, unless the role has a limit of its own. */
  lockTimeoutMs?: number;
  /** Called with whose lock it is, each time that a transaction has been waiting for one for a moment. */
  waiting?: (holder: string) => void;
  /** Which variable has the URL, for errors: DATABASE_URL unless another is named. */
  variable?: UrlVariable;
}

/** Opens a pool; nothing is connected before the first query. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const dialer = new Dialer(options.signal);
  const parameters = parametersOf(url);
  const settings = {
    max: options.connections,
    connect_timeout: Number(parameters['connect_timeout'] ?? 10),
    ssl: tlsOf(parameters),
    ...(parameters['sslnegotiation'] === 'direct' && { sslnegotiation: 'direct' }),
    idle_timeout: 0,
    prepare: false, // PgBouncer in transaction mode hands each transaction to another server connection
    onnotice: () => undefined, // postgres would print notices on stdout
    fetch_types: false,
    types: { timestamp: timestamps, ...arrayTypes },
    connection: { ...connection, ...settingsOf(parameters) },
    socket: (target: Parameters<Dialer['dial']>[0]) => dialer.dial(target),
  };
  const driven = postgres(withoutParameters(url), settings);
  const database = {
    begin: driven.begin.bind(driven),
    end: async (patience?: { timeout?: number }) => {
      await driven.end(patience);
      dialer.hangUp();
    },
  };
  lockWaits.set(database, { timeoutMs: options.lockTimeoutMs ?? lockTimeoutMaxMs, waiting: options.waiting });
  return database;
}

/** The longest that anybody here waits for one lock: those who wait behind them wait too, and a run keeps its own lock. */
export const lockTimeoutMaxMs = 60_000;

const lockWaits = new WeakMap<Database, { timeoutMs: number; waiting: DatabaseOptions['waiting'] }>();

/** Gives `body` a pool and closes it whatever happens, without waiting longer than a second for running queries. */
export async function withDatabase<T>(
  url: string,
  options: DatabaseOptions,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  const database = openDatabase(url, options);
  let patienceS = 1;
  try {
    return await body(database);
  } catch (error) {
    const isAwaited = options.signal?.aborted !== true;
    const locked = isAwaited ? await lockedIn(database, error, options.signal) : undefined;
    const problem = operatorProblem(error, url, options.variable, locked);
    if (problem?.exitCode === 3) patienceS = 0; // a database that is lost answers nothing any more
    throw problem ?? error;
  } finally {
    await database.end({ timeout: patienceS });
  }
}

/** `lockedFor` in a transaction of its own; undefined too where none can be had within a moment, or nobody waits for it. */
export async function lockedIn(database: Database, error: unknown, signal?: AbortSignal): Promise<string | undefined> {
  if (!isTimeout(error)) return undefined;
  const looked = pinned(database, 'read only', (transaction) => lockedFor(transaction, error));
  const patience = sleep(patienceMs, undefined, { ref: false, ...(signal && { signal }) });
  return Promise.race([looked, patience]).catch(() => undefined);
}

export type TransactionMode = 'read write' | 'isolation level repeatable read, read only' | 'read only';

/**
 * Runs `body` in one transaction: committed when it returns, rolled back when it throws or the connection is lost. Unless
 * the mode says otherwise each statement sees what others have committed, also those that it had to wait for: a role or
 * database may have another default, and after a lock it would read what was true before.
 */
export function inTransaction<T>(
  database: Database,
  mode: TransactionMode,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return pinned(database, mode, (transaction, pid) => {
    const waiting = lockWaits.get(database)?.waiting;
    if (waiting !== undefined) watch(database, transaction, pid, waiting);
    return body(transaction);
  });
}

/** The same with the settings that the role has by itself, to ask what they mean; it is to read no table. */
export function asTheRole<T>(database: Database, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return begin(database, 'read only', body);
}

function pinned<T>(
  database: Database,
  mode: TransactionMode,
  body: (transaction: Transaction, pid: number) => Promise<T>,
): Promise<T> {
  return begin(database, mode, async (transaction) =>
    body(transaction, await pinSettings(transaction, lockWaits.get(database)?.timeoutMs ?? lockTimeoutMaxMs)),
  );
}

/** Less than the two seconds for which a correction waits for a row of the host. */
const patienceMs = 1_500;

/** Looks now and then, on another connection, whether the transaction waits for somebody, and tells so once, if it can. */
function watch(database: Database, transaction: Transaction, pid: number, waiting: (holder: string) => void): void {
  const look = async () => {
    const holder = await pinned(database, 'read only', (other) => blockerOf(other, pid));
    if (holder === undefined || looking === undefined) return;
    stop();
    waiting(holder);
  };
  let looking: NodeJS.Timeout | undefined = setInterval(() => void look().catch(() => undefined), patienceMs);
  const stop = () => {
    clearInterval(looking);
    looking = undefined;
  };
  whenOver(transaction, stop);
}

async function begin<T>(
  database: Database,
  mode: TransactionMode,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const lifeline = new Lifeline();
  try {
    const isolated = mode.startsWith('isolation') ? mode : `isolation level read committed, ${mode}`;
    return (await database.begin(isolated, (driven) => {
      const transaction = lifeline.guard(driven);
      lifelines.set(transaction, lifeline);
      return lifeline.hold(() => body(transaction));
    })) as T;
  } finally {
    lifeline.cut();
  }
}

/** Gives `body` what others have committed, and no right to write. */
export function inReadOnly<T>(database: Database, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return inTransaction(database, 'read only', body);
}

/**
 * Like `withDatabase` and `inReadOnly` for what is read bit by bit: both end when all is read, or the reader goes away.
 * Whoever reads to the end has everything, or is thrown why not.
 */
export async function* streamFrom<T>(
  url: string,
  options: DatabaseOptions,
  read: (transaction: Transaction) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const rows = new PassThrough({ objectMode: true });
  const ended = withDatabase(url, options, (database) =>
    inReadOnly(database, (transaction) => pipeline(read(transaction), rows)),
  );
  ended.catch((error: unknown) => rows.destroy(error as Error)); // it may not even have begun to read
  try {
    yield* rows as AsyncIterable<T>;
  } catch {
    // `ended` says the same, in words for whoever operates it
  } finally {
    await Promise.allSettled([ended]); // also where the reader went away
  }
  await ended;
}

/**
 * Unless the role has limits of its own no lock is waited for without end, such as one of a migration that somebody left
 * open, and the server (of Linux: others may refuse it) gives up what it does for a process that is gone. Rows that are
 * hidden from the role are an error, not a smaller sum or a shorter list (PostgreSQL, "Row Security Policies"). And whatever
 * the role's search_path says, PostgreSQL's own functions, operators and types come before all others of that name, and
 * nobody's temporary tables before the host's (PostgreSQL, "Writing SECURITY DEFINER Functions Safely"). Returns the
 * number of the session.
 */
async function pinSettings(transaction: Transaction, lockTimeoutMs: number): Promise<number> {
  const [own] = await transaction<{ pid: number }[]>`
    select pg_catalog.pg_backend_pid() as pid, pg_catalog.set_config(
      'search_path',
      (
        select pg_catalog.string_agg(pg_catalog.quote_ident(path.name), ', ' order by path.place)
        from rows from (pg_catalog.unnest(
          array['pg_catalog'::pg_catalog.name] operator(pg_catalog.||) pg_catalog.array_remove(pg_catalog.current_schemas(false), 'pg_catalog')
            operator(pg_catalog.||) array['pg_temp'::pg_catalog.name]
        )) with ordinality as path (name, place)
      ),
      true
    )
    union all
    select pg_catalog.pg_backend_pid(), pg_catalog.set_config('row_security', 'off', true)
    union all
    select pg_catalog.pg_backend_pid(), pg_catalog.set_config(own.name, own.setting, true)
    from (
      values
        ('lock_timeout', ${`${lockTimeoutMs}ms`}, true),
        ('client_connection_check_interval', '5s', pg_catalog.strpos(pg_catalog.version(), 'linux') operator(pg_catalog.>) 0)
    ) as own (name, setting, is_known)
    where own.is_known and pg_catalog.current_setting(own.name) operator(pg_catalog.=) '0'
  `;
  return own?.pid ?? 0;
}

/** Runs `body` in a savepoint, so that a statement that fails does not take the whole transaction with it. */
export async function inSavepoint<T>(
  transaction: Transaction,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const lifeline = lifelines.get(transaction) ?? new Lifeline();
  return (await transaction.savepoint((driven) => {
    const savepoint = lifeline.guard(driven);
    lifelines.set(savepoint, lifeline);
    return lifeline.hold(() => body(savepoint));
  })) as T;
}

/**
 * What others had locked that the statements with these errors may have waited for: see `holdersText`. undefined too
 * where the server does not tell; the transaction goes on.
 */
export function lockedFor(transaction: Transaction, ...errors: unknown[]): Promise<string | undefined> {
  const statements = errors.map(statementOf).join('\n');
  return inSavepoint(transaction, (savepoint) => lockedTables(savepoint, statements)).catch(() => undefined);
}

async function lockedTables(transaction: Transaction, statement: string): Promise<string | undefined> {
  await transaction`select pg_stat_clear_snapshot()`; // else who came during this transaction is not there
  const text = readFileSync(shipped('sql/locked.sql'), 'utf8');
  return holdersText(await query<Holder>(transaction, text, [statement]));
}

/** Calls `listener` when the transaction is over, also where its connection is lost and so what is done in it never ends. */
export function whenOver(transaction: Transaction, listener: () => void): void {
  lifelines.get(transaction)?.over.addEventListener('abort', listener);
}

/** Of every transaction that `inTransaction` opened, and of the savepoints in it. */
const lifelines = new WeakMap<Transaction, Lifeline>();

export type Row = Record<string, unknown>;

/** Runs the text of a file under sql/ with its parameters. */
export async function query<T extends object = Row>(
  transaction: Transaction,
  text: string,
  parameters: Parameter[] = [],
): Promise<T[]> {
  return (await transaction.unsafe(text, parameters)) as unknown as T[];
}

/** The columns that a query answers with, in order; `type` is the identifier of a row of pg_type. */
export async function columnsOf(
  transaction: Transaction,
  text: string,
  parameters: Parameter[],
): Promise<{ name: string; type: number }[]> {
  const { columns } = await transaction.unsafe(text, parameters);
  return columns.map(({ name, type }) => ({ name, type }));
}

/** Like `query`, row by row. */
export function stream<T extends object = Row>(
  transaction: Transaction,
  text: string,
  parameters: Parameter[],
): AsyncGenerator<T> {
  return rowsOf(transaction.unsafe<T[]>(text, parameters));
}

/** The rows of a query one by one; 500 of them are in memory at a time. */
export async function* rowsOf<T extends object>(pending: postgres.PendingQuery<T[]>): AsyncGenerator<T> {
  for await (const rows of pending.cursor(500)) {
    yield* rows;
    rows.length = 0; // the driver's promises would keep them alive until V8 collects its whole heap
  }
}
