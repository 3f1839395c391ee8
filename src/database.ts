import postgres from 'postgres';
import { OperatorError } from './operator-error.ts';

/** A pool of connections. Times come back as RFC 3339 text in UTC with microseconds, `numeric` and `bigint` as text. */
export type Database = postgres.Sql<Types>;

/** A connection inside `inTransaction`. */
export type Transaction = postgres.TransactionSql<Types>;

/** What a value may be when it is bound as a parameter. */
export type Parameter = string | number | boolean | null | Date | string[];

type Types = { timestamp: string };

/** `2026-11-22 17:00:00.123456+00` (the session's time zone is UTC) becomes `2026-11-22T17:00:00.123456Z`. */
function toRfc3339(text: string): string {
  return text.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z');
}

const timestamps = {
  to: 1184,
  from: [1184],
  serialize: (value: string | Date): string => (value instanceof Date ? value.toISOString() : value),
  parse: toRfc3339,
};

export interface DatabaseOptions {
  /** Largest number of connections at a time. */
  connections: number;
  /** Bounds the attempt to connect, in seconds. */
  connectTimeoutS?: number;
}

/** Opens a pool; nothing is connected before the first query. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  return postgres(url, {
    max: options.connections,
    connect_timeout: options.connectTimeoutS ?? 10,
    idle_timeout: 0,
    prepare: false, // PgBouncer in transaction mode hands each transaction to another server connection
    onnotice: () => undefined, // postgres would print notices on stdout
    types: { timestamp: timestamps },
    connection: { application_name: 'recon', TimeZone: 'UTC' },
  });
}

/** Gives `body` a pool and closes it whatever happens, without waiting longer than five seconds for running queries. */
export async function withDatabase<T>(
  url: string,
  options: DatabaseOptions,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  const database = openDatabase(url, options);
  try {
    return await body(database);
  } catch (error) {
    throw connectionProblem(error, url) ?? error;
  } finally {
    await database.end({ timeout: 5 });
  }
}

export type TransactionMode = 'read write' | 'isolation level repeatable read, read only' | 'read only';

/** Runs `body` in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<T>(
  database: Database,
  mode: TransactionMode,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return (await database.begin(mode, body)) as T;
}

/** Runs `body` in a savepoint, so that a statement that fails does not take the whole transaction with it. */
export async function inSavepoint<T>(
  transaction: Transaction,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return (await transaction.savepoint(body)) as T;
}

export type Row = Record<string, unknown>;

/** Runs the text of a file under sql/ with its parameters. */
export async function query<T extends object = Row>(
  connection: Database | Transaction,
  text: string,
  parameters: Parameter[] = [],
): Promise<T[]> {
  return (await connection.unsafe(text, parameters)) as unknown as T[];
}

/** Like `query`, a thousand rows at a time. */
export function stream<T extends object = Row>(
  transaction: Transaction,
  text: string,
  parameters: Parameter[],
): AsyncIterable<T[]> {
  return transaction.unsafe(text, parameters).cursor(1000) as unknown as AsyncIterable<T[]>;
}

export interface DatabaseProblem {
  /** SQLSTATE (PostgreSQL, appendix A) or Node's code of a connection error. */
  code: string;
  message: string;
  detail?: string;
  hint?: string;
  /** Where in the statement, counted in characters from 1. */
  position?: number;
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '08006', // connection_failure
]);

/** What PostgreSQL or the connection to it said, or undefined for an error that came from elsewhere. */
export function databaseProblem(error: unknown): DatabaseProblem | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (error.name !== 'PostgresError' && !unreachable.has(error.code)) return undefined;
  const { detail, hint, position } = error as { detail?: unknown; hint?: unknown; position?: unknown };
  return {
    code: error.code,
    message: error.message,
    ...(typeof detail === 'string' && { detail }),
    ...(typeof hint === 'string' && { hint }),
    ...(typeof position === 'string' && { position: Number(position) }),
  };
}

/** One sentence for a connection that could not be made or was lost; undefined for every other error. */
function connectionProblem(error: unknown, url: string): OperatorError | undefined {
  const problem = databaseProblem(error);
  if (problem === undefined) return undefined;
  const place = placeOf(url);
  const options = { cause: error };
  if (unreachable.has(problem.code))
    return new OperatorError(
      3,
      `The database at ${place} cannot be reached (${problem.code}).`,
      'Check the host and port in DATABASE_URL, and that the server is up.',
      options,
    );
  if (problem.code === '28P01' || problem.code === '28000')
    return new OperatorError(
      77,
      `The database at ${place} refused the credentials (${problem.code}).`,
      'Check user and password in DATABASE_URL.',
      options,
    );
  if (problem.code === '3D000')
    return new OperatorError(
      78,
      `The server of DATABASE_URL has no such database: ${place}.`,
      'Check the name at the end of DATABASE_URL.',
      options,
    );
  return undefined;
}

/** Host, port and database of a connection URL: what may be shown of it. */
function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port === '' ? '5432' : port}${pathname}`;
}
