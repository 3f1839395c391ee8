import { OperatorError } from '../operator-error.ts';
import { rolesFile } from '../shipped.ts';

export interface DatabaseProblem {
  /** SQLSTATE (PostgreSQL, appendix A) or Node's code of a connection error. */
  code: string;
  message: string;
  detail?: string;
  hint?: string;
  /** Where in the statement, counted in characters from 1. */
  position?: number;
  /** The function of PostgreSQL that says it, whatever the language of the message. */
  routine?: string;
  /** FATAL: there is no connection any more, or none was made. */
  severity?: string;
  /** Whom the certificate of the server is for, where that is what is wrong. */
  holder?: string;
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
  'CLOSED_ON_CONNECT',
  'NO_TLS',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '08000', // connection_exception
  '08003', // connection_does_not_exist
  '08006', // connection_failure
  '08P01', // protocol_violation: PgBouncer, whose server went away
]);

/** SQLSTATE (PostgreSQL, appendix A): somebody else held a lock for longer than this transaction waits. */
export const lockNotAvailable = '55P03';

/** Whether that is what PostgreSQL said. */
export function isLockTimeout(error: unknown): boolean {
  return databaseProblem(error)?.code === lockNotAvailable;
}

/** Whether a statement was ended that took too long, perhaps because of a lock (57014: query_canceled). */
export function isTimeout(error: unknown): boolean {
  return isLockTimeout(error) || databaseProblem(error)?.code === '57014';
}

/** The statement that failed, as the driver keeps it beside what PostgreSQL said; empty for other errors. */
export function statementOf(error: unknown): string {
  return error instanceof Error && 'query' in error ? String(error.query) : '';
}

/** How an explanation of such an error ends. `locked`: see `lockedFor`. */
export function lockedText(code: string, locked: string | undefined): string {
  if (locked !== undefined) return ` Locked at that moment: ${locked}.`;
  return code === lockNotAvailable ? ' pg_locks says who holds what.' : '';
}

/** The connection was lost or never made: what was on its way may have been done, or not. */
export function isUnreachable(code: string): boolean {
  return unreachable.has(code);
}

/** PostgreSQL writes nothing there (appendix A: 25006, or 0A000 where a transaction wants to begin): it may be a replica. */
export function isReadOnly({ code, routine }: DatabaseProblem): boolean {
  return code === '25006' || (code === '0A000' && routine === 'call_bool_check_hook');
}

/** Row-level security would hide rows from the role, which recon takes for an error. */
export function hidesRows({ code, routine }: DatabaseProblem): boolean {
  return code === '42501' && routine === 'check_enable_rls';
}

/** What PostgreSQL or the connection to it said, or undefined for an error that came from elsewhere. */
export function databaseProblem(error: unknown): DatabaseProblem | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (error.name !== 'PostgresError' && !unreachable.has(error.code) && !untrusted.test(error.code)) return undefined;
  const { position, cert } = error as Error & Record<string, unknown>;
  const { subjectaltname: holder } = (cert ?? {}) as { subjectaltname?: unknown };
  return {
    code: error.code,
    message: error.message,
    ...textsOf(error, ['detail', 'hint', 'routine', 'severity']),
    ...(typeof position === 'string' && { position: Number(position) }),
    ...(typeof holder === 'string' && { holder }),
  };
}

type Said = 'detail' | 'hint' | 'routine' | 'severity';

function textsOf(error: Error, names: readonly Said[]): Partial<Record<Said, string>> {
  const said = error as Error & Partial<Record<Said, unknown>>;
  return Object.fromEntries(names.flatMap((name) => (typeof said[name] === 'string' ? [[name, said[name]]] : [])));
}

/**
 * What the operator can mend about the connection, the rights or the load; undefined for every other error. `locked`: what
 * was locked by then (`lockedFor`), where that may be why.
 */
export function operatorProblem(
  error: unknown,
  url: string,
  variable?: UrlVariable,
  locked?: string,
): OperatorError | undefined {
  const explained = explainProblem(error, url, variable);
  if (explained === undefined) return undefined;
  const hint = `${explained.hint}${lockedText(databaseProblem(error)?.code ?? '', locked)}`;
  return new OperatorError(explained.exitCode, explained.message, hint, { cause: error });
}

/** Which variable names the database. */
export type UrlVariable = 'DATABASE_URL' | 'SOURCE_DATABASE_URL' | 'CORRECTION_DATABASE_URL';

interface Explanation {
  exitCode: 3 | 77 | 78;
  message: string;
  hint: string;
}

/** The same in its parts. */
export function explainProblem(
  error: unknown,
  url: string,
  variable: UrlVariable = 'DATABASE_URL',
): Explanation | undefined {
  const problem = databaseProblem(error);
  return (
    problem &&
    explanationOf(problem)?.({ ...problem, place: placeOf(url), variable, hasPassword: new URL(url).password !== '' })
  );
}

/** Whether `explainProblem` explains it. */
export function isExplained(error: unknown): boolean {
  const problem = databaseProblem(error);
  return problem !== undefined && explanationOf(problem) !== undefined;
}

function explanationOf(problem: DatabaseProblem): Explain | undefined {
  const [, explain] = explanations.find(([isMeant]) => isMeant(problem)) ?? [];
  return explain;
}

type Explain = (
  problem: DatabaseProblem & { place: string; variable: UrlVariable; hasPassword: boolean },
) => Explanation;

const explanations: [isMeant: (problem: DatabaseProblem) => boolean, Explain][] = [
  [
    isOfUrl,
    ({ place, variable, message, code }) => ({
      exitCode: 78,
      message: `${variable} has a parameter that the server at ${place} refuses: ${message} (${code}).`,
      hint: `Take it out of ${variable}, where it stands behind the question mark, or mend its value; the schema of the host’s tables is search_path=NAME there.`,
    }),
  ],
  [
    ({ code }) => code === 'CLOSED_ON_CONNECT',
    ({ place, variable, code }) => ({
      exitCode: 3,
      message: `What listens at ${place} closes connections before they are made (${code}): it may be no PostgreSQL.`,
      hint: `Check the host and port in ${variable}, and that the server is up.`,
    }),
  ],
  [
    ({ code }) => code === 'NO_TLS',
    ({ place, variable }) => ({
      exitCode: 78,
      message: `The database at ${place} does not speak TLS, which sslmode in ${variable} asks for.`,
      hint: 'Switch TLS on at the server, or give sslmode=disable if the network may be trusted.',
    }),
  ],
  [
    ({ code }) => code === 'CONNECTION_CLOSED',
    ({ place, code }) => ({
      exitCode: 3,
      message: `The connection to the database at ${place} was lost (${code}).`,
      hint: 'Try again; the log of the server says why, or that of a PgBouncer before it (pool_mode transaction or session, at least five connections).',
    }),
  ],
  [
    ({ code }) => code === '53300',
    ({ place, variable, message, code }) => ({
      exitCode: 3,
      message: `The server at ${place} gives the role of ${variable} no further connection: ${message} (${code}).`,
      hint: howToGetConnections,
    }),
  ],
  [
    ({ code }) => unreachable.has(code),
    ({ place, variable, code }) => ({
      exitCode: 3,
      message: `The database at ${place} cannot be reached (${code}).`,
      hint: `Check the host and port in ${variable}, and that the server is up.`,
    }),
  ],
  [
    ({ code }) => code === '28P01' || code === '28000',
    ({ place, variable, code, hasPassword }) => ({
      exitCode: 77,
      message: `The database at ${place} refused the credentials (${code}).`,
      hint: `Check user and password in ${variable}.${hasPassword ? '' : ' It has no password, and PGPASSWORD is not read.'}`,
    }),
  ],
  [
    ({ code }) => code === '3D000',
    ({ place, variable }) => ({
      exitCode: 78,
      message: `The server of ${variable} has no such database: ${place}.`,
      hint: `Check the name at the end of ${variable}.`,
    }),
  ],
  [
    ({ code }) => code === 'ERR_TLS_CERT_ALTNAME_INVALID',
    ({ place, variable, message, code, holder }) => ({
      exitCode: 78,
      message: `The certificate of the database at ${place} is for ${holder?.replace(/(DNS|IP Address):/g, '') ?? 'another name'}: ${message} (${code}).`,
      hint: `Let ${variable} have the host that the certificate is for. With sslmode=verify-ca and the file of its authority as sslrootcert any name will do.`,
    }),
  ],
  [
    ({ code }) => code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID',
    ({ place, message, code }) => ({
      exitCode: 78,
      message: `The certificate of the database at ${place} cannot be trusted: ${message} (${code}).`,
      hint: 'Renew it at the server, or set the clock of this machine.',
    }),
  ],
  [
    ({ code }) => untrusted.test(code),
    ({ place, variable, message, code }) => ({
      exitCode: 78,
      message: `The certificate of the database at ${place} cannot be trusted: ${message} (${code}).`,
      hint: `Let ${variable} name the file of its authority: ?sslmode=verify-full&sslrootcert=FILE.`,
    }),
  ],
  [
    hidesRows,
    ({ place, variable, message }) => ({
      exitCode: 78,
      message: `Row-level security at ${place} hides rows from the role of ${variable}: ${message}.`,
      hint: 'Grant it bypassrls, or take the policy from that table: what it does not see would be missing from every answer.',
    }),
  ],
  [
    ({ code }) => code === '42501',
    ({ place, variable, message, code }) => ({
      exitCode: 78,
      message: `The role of ${variable} may not do this at ${place}: ${message} (${code}).`,
      hint: `A database administrator has to grant it, by ${rolesFile}: recon_reader only looks (\`recon run --dry-run\` too), recon_writer runs and works on exceptions, recon_purger purges, recon_corrector corrects (as CORRECTION_DATABASE_URL).`,
    }),
  ],
  [
    isReadOnly,
    ({ place, variable, message, code }) => ({
      exitCode: 3,
      message: `Nobody may write at ${place}, as on a replica: ${message} (${code}).`,
      hint: `While another server takes over, that passes: try again. Else let ${variable} name the main database; the checks may read from a replica, in SOURCE_DATABASE_URL.`,
    }),
  ],
  [
    ({ code }) => code === '42P01',
    ({ place, message, code }) => ({
      exitCode: 78,
      message: `A table is missing at ${place}: ${message} (${code}).`,
      hint: 'Run `recon migrate status`.',
    }),
  ],
  [
    ({ code }) => code === lockNotAvailable,
    ({ place, message, code }) => ({
      exitCode: 3,
      message: `Somebody else held a lock at ${place} for too long: ${message} (${code}).`,
      hint: 'Nothing was stored half-way. Often it is a migration that was left open.',
    }),
  ],
  [
    ({ code }) => ['57014', '40P01', '40001'].includes(code) || code.startsWith('53'),
    ({ place, message, code }) => ({
      exitCode: 3,
      message: `The database at ${place} could not finish in time, or had no room: ${message} (${code}).`,
      hint: 'Nothing was stored half-way; try again.',
    }),
  ],
];

/** Where the server has no connection left for the role. */
export const howToGetConnections =
  'A run needs five: raise the limit (alter role … connection limit, max_connections), or end other sessions.';

/**
 * Whether the server, or PgBouncer (08P01), ended the beginning of a connection over a setting that the URL asks for: one
 * that it does not know, that cannot be set, or has another value (appendix A: undefined_object, cant_change_runtime_param,
 * invalid_parameter_value, invalid_name, syntax_error).
 */
function isOfUrl({ code, severity, message }: DatabaseProblem): boolean {
  if (code === '08P01') return message.includes('startup parameter');
  return severity === 'FATAL' && ['42704', '55P02', '22023', '42602', '42601'].includes(code);
}

/** Node's codes of a certificate that does not verify (Node, "TLS", X509 certificate error codes). */
const untrusted = /CERT|UNABLE_TO_VERIFY/;

/** Host, port and database of a connection URL: what may be shown of it. */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port === '' ? '5432' : port}${pathname}`;
}
