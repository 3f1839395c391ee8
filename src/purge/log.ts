import type { Transaction } from '../database/database.ts';
import { toJsonb } from '../database/jsonb.ts';
import type { Signature } from '../exceptions/actions.ts';

/** Who purges, from where, when, and why if that is said, and what: whatever is from before that time, RFC 3339 in UTC. */
export interface PurgeOrder extends Signature {
  note: string | null;
  before: string;
}

/** What one transaction of a purge removed. */
export interface Removed {
  /** On which day (UTC) its runs began; null: of alerts. */
  day: string | null;
  /** How many whole runs, by type and outcome: `{ hourly: { failed: 3, passed: 12 } }`. */
  runs: Record<string, Record<string, number>>;
  /** Of those runs. */
  checks: number;
  sightings: number;
  alert_bodies: number;
}

/** A purge as it stands on record. Times are RFC 3339 in UTC. */
export interface PurgeRecord {
  purged_at: string;
  purged_by: string;
  host: string | null;
  note: string | null;
  purged_before: string;
  removed: Removed[];
}

/**
 * Writes down what a transaction removed, as a part of it. A day of which nothing was left to remove is not told; the
 * alerts, which come last, always are: a purge that found nothing was made all the same, and one without them was cut
 * short.
 */
export async function logPurge(
  transaction: Transaction,
  schema: string,
  { at, by, host, note, before }: PurgeOrder,
  { day, runs, checks, sightings, alert_bodies: alertBodies }: Removed,
): Promise<void> {
  if (day !== null && Object.keys(runs).length + checks + sightings === 0) return;
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_purges`)} (
      purged_at, purged_by, host, note, purged_before, day, runs, checks, sightings, alert_bodies
    )
    values (
      ${at}, ${by}, ${host}, ${note}, ${before}, ${day}, ${toJsonb(runs)}::text::jsonb, ${checks}, ${sightings},
      ${alertBodies}
    )
  `;
}

/** Every purge, the newest first. */
export async function listPurges(transaction: Transaction, schema: string): Promise<PurgeRecord[]> {
  const rows = await transaction<PurgeRecord[]>`
    select
      purge.purged_at, purge.purged_by, purge.host, purge.note, purge.purged_before,
      jsonb_agg(
        jsonb_build_object(
          'day', purge.day, 'runs', purge.runs, 'checks', purge.checks, 'sightings', purge.sightings,
          'alert_bodies', purge.alert_bodies
        )
        order by purge.number
      ) as removed
    from ${transaction(`${schema}.reconciliation_purges`)} as purge
    group by purge.purged_at, purge.purged_by, purge.host, purge.note, purge.purged_before
    order by purge.purged_at desc, max(purge.number) desc
  `;
  return [...rows];
}
