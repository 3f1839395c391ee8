import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { holdLock } from '../database/held-lock.ts';
import { logPurge, type PurgeOrder, type Removed } from './log.ts';
import { purgedAlerts, repeatedSightings, type PlannedDay, type Purge, type PurgePlan } from './plan.ts';

/** How many sightings or alerts one transaction takes. */
const rowsAtATime = 10_000;

/** How long somebody else who purges is waited for. */
const lockWaitMs = 1_000;

/**
 * Removes it day by day, the oldest first, and a few thousand rows to a transaction, which also writes down what it
 * removed: nothing stays open in between, so that no run waits for it, nor what hourly runs have verified. Told to stop,
 * it leaves the rest to the next time. Throws an OperatorError (4) if somebody else purges.
 */
export async function purge(
  database: Database,
  schema: string,
  { days }: Pick<PurgePlan, 'days'>,
  { order, signal }: { order: PurgeOrder; signal: AbortSignal },
): Promise<Purge> {
  const done: Purge = { runs: 0, checks: 0, sightings: 0, alertBodies: 0 };
  const inSteps = async (remove: (transaction: Transaction) => Promise<Removed>) => {
    for (let isAll = false; !isAll;) {
      signal.throwIfAborted();
      const removed = await inTransaction(database, 'read write', async (transaction) => {
        await holdLock(transaction, `recon purge ${schema}`, lockWaitMs);
        const step = await remove(transaction);
        await logPurge(transaction, schema, order, step);
        return step;
      });
      add(done, removed);
      isAll = Math.max(removed.sightings, removed.alert_bodies) < rowsAtATime;
    }
  };
  for (const day of days) await inSteps((transaction) => purgeDay(transaction, schema, day, order.at));
  await inSteps((transaction) => purgeAlerts(transaction, schema, order.before));
  return done;
}

function add(done: Purge, { runs, checks, sightings, alert_bodies: alertBodies }: Removed): void {
  for (const outcomes of Object.values(runs)) for (const number of Object.values(outcomes)) done.runs += number;
  done.checks += checks;
  done.sightings += sightings;
  done.alertBodies += alertBodies;
}

/** The sightings first: a run goes when none of its own are left. */
async function purgeDay(
  transaction: Transaction,
  schema: string,
  { day, runs, going }: PlannedDay,
  at: Date,
): Promise<Removed> {
  const sightings = await deleteSightings(transaction, schema, runs, at);
  const gone = await deleteRuns(transaction, schema, sightings < rowsAtATime ? going : []);
  return { day, ...gone, sightings, alert_bodies: 0 };
}

/** Deletes some, and writes into the reports that these do not hold all any longer. Returns how many. */
async function deleteSightings(
  transaction: Transaction,
  schema: string,
  reportIds: string[],
  at: Date,
): Promise<number> {
  const [deleted] = await transaction<{ sightings: number }[]>`
    with
    deleted as (
      delete from ${transaction(`${schema}.reconciliation_findings`)} as finding
      using (
        select repeated.report_id, repeated.exception_id
        from (${repeatedSightings(transaction, schema)}) as repeated
        where repeated.report_id = any (${reportIds}::uuid[])
        order by repeated.report_id, repeated.exception_id -- as the primary key has them
        limit ${rowsAtATime}
      ) as taken
      where finding.report_id = taken.report_id and finding.exception_id = taken.exception_id
      returning finding.report_id
    ),
    marked as (
      update ${transaction(`${schema}.reconciliation_reports`)} as report
      set metadata = report.metadata || jsonb_build_object('purged_at', ${at.toISOString()}::text)
      where report.id in (select deleted.report_id from deleted)
    )
    select count(*)::integer as sightings from deleted
  `;
  return deleted?.sightings ?? 0;
}

async function deleteRuns(
  transaction: Transaction,
  schema: string,
  reportIds: string[],
): Promise<Pick<Removed, 'runs' | 'checks'>> {
  const checks = await transaction`
    delete from ${transaction(`${schema}.reconciliation_checks`)} as checked
    where checked.report_id = any (${reportIds}::uuid[])
  `;
  const [gone] = await transaction<{ runs: Removed['runs'] }[]>`
    with
    deleted as (
      delete from ${transaction(`${schema}.reconciliation_reports`)} as report
      where report.id = any (${reportIds}::uuid[])
      returning report.run_type, coalesce(report.metadata ->> 'verdict', report.status) as outcome
    ),
    counted as (
      select deleted.run_type, deleted.outcome, count(*) as runs
      from deleted
      group by deleted.run_type, deleted.outcome
    ),
    by_type as (
      select counted.run_type, jsonb_object_agg(counted.outcome, counted.runs) as outcomes
      from counted
      group by counted.run_type
    )
    select coalesce(jsonb_object_agg(by_type.run_type, by_type.outcomes), '{}') as runs from by_type
  `;
  return { runs: gone?.runs ?? {}, checks: checks.count };
}

/** Takes away what they said; to whom, when, and in which run stays. */
async function purgeAlerts(transaction: Transaction, schema: string, before: string): Promise<Removed> {
  const purged = await transaction`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set body = '{}'
    where alert.id in (${purgedAlerts(transaction, schema, before)} order by alert.number limit ${rowsAtATime})
  `;
  return { day: null, runs: {}, checks: 0, sightings: 0, alert_bodies: purged.count };
}
