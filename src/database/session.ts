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

/** `session 4711 of the role ada (psql) at 10.0.0.7, since 2026-11-22T21:36:31Z`. */
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

/**
 * The tables of this database that somebody keeps even readers from, or is about to, and who:
 * `deposits by session 4711 of the role ada; …`, ten at most. undefined: there is none.
 */
export async function lockedTables(transaction: Transaction): Promise<string | undefined> {
  await transaction`select pg_stat_clear_snapshot()`; // else who came during this transaction is not there
  const holders = await transaction<(Session & { table: string })[]>`
    select lock.relation::regclass::text as table, ${sessionColumns(transaction)}
    from pg_catalog.pg_locks as lock
    inner join pg_catalog.pg_class as class on class.oid = lock.relation
    inner join pg_catalog.pg_database as own on own.oid = lock.database
    inner join pg_catalog.pg_stat_activity as activity on activity.pid = lock.pid
    where
      own.datname = current_database()
      and class.relkind in ('r', 'p', 'm', 'v')
      and lock.mode = 'AccessExclusiveLock'
      and lock.pid <> pg_backend_pid()
    order by lock.relation::regclass::text, lock.pid
    limit 10
  `;
  const named = holders.map(({ table, ...holder }) => `${plain(table)} by ${sessionText(holder)}`);
  return named.length === 0 ? undefined : named.join('; ');
}
