import type { Config } from '../config.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { RunType } from '../reports.ts';
import { runTimeoutMs } from '../run/timeout.ts';
import { countsFor, punctualityOf, scheduledTypes, type ScheduledType } from './schedule.ts';
import { lastSwitchedOff } from './switched-off.ts';

/** The times of one type of run to which none had begun, as a report's metadata holds them. */
export interface Missed {
  run_type: ScheduledType;
  count: number;
  /** RFC 3339 in UTC, oldest first; the last two days of hourly ones where there are more. */
  slots: string[];
}

/** By when a run of each type must have completed: it has to begin by its deadline, and may then take its time. */
export async function successDue(
  connection: Database | Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<{ type: ScheduledType; at: Date }[]> {
  const since = await lastSuccesses(connection, schema);
  return scheduledTypes.flatMap((type) => {
    const from = since(type);
    if (from === undefined) return [];
    const { deadline } = punctualityOf(type, config.schedule, { from, starts: [], now });
    return [{ type, at: new Date(deadline.getTime() + runTimeoutMs(config, type)) }];
  });
}

/**
 * What was missed since the run before this one: each expected time is named by the first run that begins after its
 * deadline. A time at which scheduled runs were switched off was not missed.
 */
export async function newlyMissed(
  connection: Database | Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<Missed[]> {
  const { previous, lastOf } = await lastStarts(connection, schema);
  if (previous === undefined) return [];
  return scheduledTypes.flatMap((type) => {
    const from = lastOf(type);
    if (from === undefined) return [];
    const missedBy = (moment: Date) => punctualityOf(type, config.schedule, { from, starts: [], now: moment }).missed;
    const slots = missedBy(now).slice(missedBy(previous).length);
    if (slots.length === 0) return [];
    return [{ run_type: type, count: slots.length, slots: slots.slice(-48).map((slot) => slot.toISOString()) }];
  });
}

type Starts = (type: ScheduledType) => Date | undefined;

/** When the last success of each type began; before the first, when our tables were made. */
async function lastSuccesses(connection: Database | Transaction, schema: string): Promise<Starts> {
  const rows = await connection<{ run_type: RunType; started_at: string }[]>`
    select report.run_type, max(report.started_at) as started_at
    from ${connection(`${schema}.reconciliation_reports`)} as report
    where
      report.status = 'completed'
      and not report.metadata ? 'narrowed_to'
      and not report.metadata ? 'not_in_this_run'
    group by report.run_type
    order by report.run_type
  `;
  const [made] = await connection<{ at: string | null }[]>`
    select min(migration.applied_at) as at
    from ${connection(`${schema}.reconciliation_migrations`)} as migration
  `;
  const off = await lastSwitchedOff(connection, schema);
  return (type) => latest([made?.at, off.get(type), ...startsOf(rows, type)]);
}

/**
 * When the last run began, whatever its type, and the last that counts for a type; before the first of these, the very
 * first run. One that ended without a result was not missed: that is told as what it is.
 */
async function lastStarts(
  connection: Database | Transaction,
  schema: string,
): Promise<{ previous: Date | undefined; lastOf: Starts }> {
  const rows = await connection<{ run_type: RunType; first: string; started_at: string }[]>`
    select report.run_type, min(report.started_at) as first, max(report.started_at) as started_at
    from ${connection(`${schema}.reconciliation_reports`)} as report
    group by report.run_type
    order by report.run_type
  `;
  const off = await lastSwitchedOff(connection, schema);
  const first = rows.map((row) => row.first).toSorted()[0];
  return {
    previous: latest(rows.map(({ started_at: at }) => at)),
    lastOf: (type) => latest([first, off.get(type), ...startsOf(rows, type)]),
  };
}

function startsOf(rows: readonly { run_type: RunType; started_at: string }[], type: ScheduledType): string[] {
  return rows.filter((row) => countsFor[type].includes(row.run_type)).map(({ started_at: at }) => at);
}

function latest(times: readonly (string | null | undefined)[]): Date | undefined {
  const moments = times.filter((time) => typeof time === 'string').map((time) => Date.parse(time));
  return moments.length === 0 ? undefined : new Date(Math.max(...moments));
}
