import type { Transaction } from '../database/database.ts';
import { sessionsOfRuns } from './lock.ts';

/** Who else was writing when a snapshot was about to be taken. */
export interface Writers {
  /** When the oldest transaction that was still open began, RFC 3339; null: there was none. */
  oldest: string | null;
  /** Whether there were sessions whose transactions this role may not see. */
  hidden: boolean;
  /** Whether this role would see those of every session, also of one that is not there yet. */
  seesAll: boolean;
}

/** A commit may come so much later than the time that its rows carry, and the next hourly run still sees it. */
export const distance = '15 minutes';

/** The same where other sessions cannot be seen. */
export const hiddenDistance = '1 hour';

/** The rows of a transaction that is open carry its beginning as their time, by clocks that differ by less than that. */
export const clockTolerance = '5 minutes';

/**
 * `name`: of which database of the server, if not the one connected to. Asked before the snapshot is taken: whatever is not visible in it either was open by then, or began later. Sources:
 * PostgreSQL, "pg_stat_activity" (a role without pg_read_all_stats sees only its own transactions), "pg_prepared_xacts".
 * A run's own lock is told by that lock: behind PgBouncer the host's sessions may carry recon's name.
 */
export async function writersOf(transaction: Transaction, name: string | null = null): Promise<Writers> {
  const ofRuns = await sessionsOfRuns(transaction);
  const [writers] = await transaction<Writers[]>`
    with
    open_transaction as (
      select activity.xact_start as begun, activity.query = '<insufficient privilege>' or activity.state = 'disabled' as hidden
      from pg_catalog.pg_stat_activity as activity
      where
        activity.datname = coalesce(${name}::text, current_database())
        and activity.pid <> pg_backend_pid()
        and activity.pid <> all (${ofRuns}::integer[])
        and (activity.backend_type in ('autovacuum worker', 'parallel worker', 'walsender')) is not true
      union all
      -- its rows carry the time when it began, which nobody tells
      select prepared.prepared - ${hiddenDistance}::interval, false
      from pg_catalog.pg_prepared_xacts as prepared
      where prepared.database = coalesce(${name}::text, current_database())
    )
    select
      min(open_transaction.begun) as oldest,
      coalesce(bool_or(open_transaction.hidden), false) as hidden,
      pg_has_role('pg_read_all_stats', 'usage') as "seesAll"
    from open_transaction
  `;
  if (writers === undefined) throw new Error('The database did not say who writes.');
  return writers;
}
