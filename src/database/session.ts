import { plain } from '../plain.ts';
import type { Transaction } from './database.ts';

/**
 * A session of the server. Of another role's PostgreSQL tells no more than its number, its role and the name that its
 * program gave, unless this one may see it (pg_read_all_stats). Time: RFC 3339 in UTC.
 */
export interface Session {
  pid: number;
  /** null: it is one of the server's own, such as autovacuum. */
  role: string | null;
  application: string | null;
  client: string | null;
  /** When its transaction began. */
  since: string | null;
}

/** The columns of a session, from pg_stat_activity as `activity`. */
export function sessionColumns(transaction: Transaction) {
  return transaction`
    activity.pid, activity.usename::text as role, nullif(activity.application_name, '') as application,
    host(activity.client_addr) as client, date_trunc('second', activity.xact_start) as since
  `;
}

/**
 * `session 4711 of the role ada (psql) at 10.0.0.7, since 2026-11-22T21:36:31Z`. Names may be hostile, and are no longer
 * than a server keeps them: 63 bytes (PostgreSQL, "application_name").
 */
export function sessionText({ pid, role, application, client, since }: Session): string {
  const of = role === null ? '' : ` of the role ${plain(role)}`;
  const program = application === null ? '' : ` (${plain(application)})`;
  const at = client === null ? '' : ` at ${client}`;
  return `session ${pid}${of}${program}${at}${since === null ? '' : `, since ${since}`}`;
}

/**
 * Who holds a lock that the session of that number waits for, the longest at work first, and on which table, if it is one
 * of a table; undefined: it waits for nobody.
 */
export async function blockerOf(transaction: Transaction, pid: number): Promise<string | undefined> {
  const [blocker] = await transaction<(Session & { table: string | null })[]>`
    select
      ${sessionColumns(transaction)},
      (
        select min(wanted.relation::regclass::text)
        from pg_catalog.pg_locks as wanted
        where wanted.pid = ${pid} and wanted.locktype = 'relation' and not wanted.granted
      ) as table
    from pg_catalog.pg_stat_activity as activity
    where activity.pid = any (pg_blocking_pids(${pid}))
    order by activity.xact_start, activity.pid
    limit 1
  `;
  if (blocker === undefined) return undefined;
  const { table } = blocker;
  return `${sessionText(blocker)}${table === null ? '' : `, on ${plain(table)}`}`;
}

/** Who has locked tables, and which: a row of sql/locked.sql. */
export interface Holder {
  /** null: a prepared transaction. */
  pid: number | null;
  role: string | null;
  since: string | null;
  isReplayed: boolean;
  tables: string[];
}

/**
 * `session 4711 of the role ada: deposits; …`; undefined: there is none. This text is stored and sent, so without the name
 * that a program gave itself, which may hold anything, and without its address.
 */
export function holdersText(holders: readonly Holder[]): string | undefined {
  const named = holders.map((holder) => `${holderText(holder)}: ${fewOf(holder.tables.map(plain), ', ')}`);
  return named.length === 0 ? undefined : fewOf(named, '; ');
}

function holderText({ pid, role, since, isReplayed }: Holder): string {
  if (isReplayed) return 'the main database (replayed from it)';
  if (pid === null) return 'a prepared transaction (pg_prepared_xacts)';
  return sessionText({ pid, role, since, application: null, client: null });
}

function fewOf(names: string[], separator: string): string {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `${names.slice(0, 5).join(separator)}${more}`;
}
