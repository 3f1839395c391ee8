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

/** Who holds a lock that the session of that number waits for, the longest at work first; undefined: it waits for nobody. */
export async function blockerOf(transaction: Transaction, pid: number): Promise<string | undefined> {
  const [blocker] = await transaction<Session[]>`
    select ${sessionColumns(transaction)}
    from pg_catalog.pg_stat_activity as activity
    where activity.pid = any (pg_blocking_pids(${pid}))
    order by activity.xact_start, activity.pid
    limit 1
  `;
  return blocker && sessionText(blocker);
}
