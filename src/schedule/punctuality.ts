import type { Config } from '../config.ts';
import type { Transaction } from '../database/database.ts';
import type { RunType } from '../reports.ts';
import { runTimeoutMs } from '../run/timeout.ts';
import { answers } from './answers.ts';
import { countsFor, punctualityOf, scheduledTypes, type ScheduledType } from './schedule.ts';

/** The times of one type of run to which none had begun, as a report's metadata holds them. */
export interface Missed {
  run_type: ScheduledType;
  count: number;
  /** RFC 3339 in UTC, oldest first; the last two days of hourly ones where there are more. */
  slots: string[];
}

/** By when a run of each type must have completed: it has to begin by its deadline, and may then take its time. */
export async function successDue(
  transaction: Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<{ type: ScheduledType; at: Date }[]> {
  const lastOf = await lastSuccesses(transaction, schema);
  return scheduledTypes.flatMap((type) => {
    const from = lastOf(type);
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
  transaction: Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<Missed[]> {
  const { previous, lastOf } = await lastStarts(transaction, schema);
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

type LastOf = (type: ScheduledType) => Date | undefined;

/** When the last success of each type began; before the first, when our tables were made. */
async function lastSuccesses(transaction: Transaction, schema: string): Promise<LastOf> {
  const [made] = await transaction<{ at: string | null }[]>`
    select min(migration.applied_at) as at
    from ${transaction(`${schema}.reconciliation_migrations`)} as migration
  `;
  return lastAnswers(transaction, schema, 'completed', made?.at ?? null);
}

/** When the last run began, whatever its type, and the last that counts for a type; before these, the very first run. */
async function lastStarts(
  transaction: Transaction,
  schema: string,
): Promise<{ previous: Date | undefined; lastOf: LastOf }> {
  const [run] = await transaction<{ first: string | null; last: string | null }[]>`
    select min(report.started_at) as first, max(report.started_at) as last
    from ${transaction(`${schema}.reconciliation_reports`)} as report
  `;
  const { first = null, last = null } = run ?? {};
  return { previous: latest([last]), lastOf: await lastAnswers(transaction, schema, 'begun', first) };
}

async function lastAnswers(
  transaction: Transaction,
  schema: string,
  which: 'begun' | 'completed',
  earliest: string | null,
): Promise<LastOf> {
  const rows = await transaction<{ run_type: RunType; at: string }[]>`
    select answer.run_type, max(answer.at) as at
    from ${answers(transaction, schema, which)}
    group by answer.run_type
    order by answer.run_type
  `;
  return (type) =>
    latest([earliest, ...rows.filter((row) => countsFor[type].includes(row.run_type)).map(({ at }) => at)]);
}

function latest(times: readonly (string | null)[]): Date | undefined {
  const moments = times.filter((time) => time !== null).map((time) => Date.parse(time));
  return moments.length === 0 ? undefined : new Date(Math.max(...moments));
}
