import { inTransaction, type Database, type Transaction } from './database/database.ts';
import { holdLock } from './database/held-lock.ts';

/** How many days of runs every screen looks back at, and one more: a younger limit would change what they say. */
export const keptDaysMin = 31;

/**
 * What a purge deletes: of the hourly and manual runs before a moment, what nothing needs any longer. An exception, its
 * log, the daily runs, the totals and what a target has not taken stay for ever; so does the run in which an exception
 * was seen first or last, with that sighting.
 */
export interface Purge {
  /** Whole runs, with their checks. */
  runs: number;
  checks: number;
  /** What a run saw of an exception that was seen before it and after it. */
  sightings: number;
  /** Those that were delivered. */
  alerts: number;
}

/** What a purge would delete now, and of which runs. */
export interface PurgePlan extends Purge {
  /** RFC 3339 in UTC. */
  before: string;
  /** The runs before that moment, oldest first, and whether they go as a whole. */
  old: readonly { id: string; goes: boolean }[];
}

/** How many runs one transaction takes, and how many rows of theirs or alerts. */
const runsAtATime = 100;
const rowsAtATime = 10_000;

/** How long somebody else who purges is waited for. */
const lockWaitMs = 1_000;

/** Looks what a purge of what is older than `before` would delete. Changes nothing. */
export async function planPurge(transaction: Transaction, schema: string, before: string): Promise<PurgePlan> {
  const old = await oldRuns(transaction, schema, before);
  const ids = old.map(({ id }) => id);
  const going = old.filter(({ goes }) => goes).map(({ id }) => id);
  const [row] = await transaction<Record<'checks' | 'sightings' | 'alerts', string>[]>`
    select
      (
        select count(*)
        from ${transaction(`${schema}.reconciliation_checks`)} as checked
        where checked.report_id = any (${going}::uuid[])
      ) as checks,
      (select count(*) from (${repeatedSightings(transaction, schema, ids)}) as repeated) as sightings,
      (select count(*) from (${deliveredAlerts(transaction, schema, before)}) as delivered) as alerts
  `;
  return {
    before,
    old,
    runs: going.length,
    checks: Number(row?.checks),
    sightings: Number(row?.sightings),
    alerts: Number(row?.alerts),
  };
}

/**
 * Deletes it, the oldest first and a few thousand rows to a transaction, so that no run waits for it; told to stop, it
 * leaves the rest to the next time. Throws an OperatorError (4) if somebody else purges.
 * @param now RFC 3339: a run that does not hold all that it saw any longer says since when
 */
export async function purge(
  database: Database,
  schema: string,
  { before, old }: PurgePlan,
  { now, signal }: { now: string; signal: AbortSignal },
): Promise<Purge> {
  return inTransaction(database, 'read write', async (holder) => {
    await holdLock(holder, `recon purge ${schema}`, lockWaitMs);
    const inSteps = stepper(database, signal);
    const done: Purge = { runs: 0, checks: 0, sightings: 0, alerts: 0 };
    for (let next = 0; next < old.length; next += runsAtATime) {
      const runs = old.slice(next, next + runsAtATime);
      const ids = runs.map(({ id }) => id);
      done.sightings += await inSteps((transaction) => deleteSightings(transaction, schema, ids, now));
      const going = runs.filter(({ goes }) => goes).map(({ id }) => id);
      const gone = await inTransaction(database, 'read write', (step) => deleteRuns(step, schema, going));
      done.checks += gone.checks;
      done.runs += gone.runs;
    }
    done.alerts = await inSteps((transaction) => deleteAlerts(transaction, schema, before));
    return done;
  });
}

/** Takes a step that deletes at most so many rows again and again, a transaction each, until it finds fewer. */
function stepper(database: Database, signal: AbortSignal) {
  return async (step: (transaction: Transaction) => Promise<number>): Promise<number> => {
    for (let all = 0; ;) {
      signal.throwIfAborted();
      const deleted = await inTransaction(database, 'read write', step);
      all += deleted;
      if (deleted < rowsAtATime) return all;
    }
  };
}

/** The hourly and manual runs that ended and began before then, and whether something needs them. */
async function oldRuns(transaction: Transaction, schema: string, before: string): Promise<PurgePlan['old']> {
  const rows = await transaction<{ id: string; goes: boolean }[]>`
    with needed as (${neededRuns(transaction, schema, before)})
    select report.id, not exists (select from needed where needed.report_id = report.id) as goes
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    where
      report.run_type <> 'daily'
      and report.status in ('completed', 'failed')
      and report.started_at < ${before}::timestamptz
    order by report.started_at, report.id
  `;
  return [...rows];
}

function neededRuns(transaction: Transaction, schema: string, before: string) {
  const table = (name: string) => transaction(`${schema}.reconciliation_${name}`);
  return transaction`
    -- when everything began
    (select report.id as report_id from ${table('reports')} as report order by report.created_at, report.id limit 1)
    union
    -- the last of each type and outcome: status and metrics go by them
    (
      select distinct on (
        report.run_type, report.status, report.metadata ? 'narrowed_to', report.metadata ? 'not_in_this_run'
      )
        report.id
      from ${table('reports')} as report
      order by
        report.run_type, report.status, report.metadata ? 'narrowed_to', report.metadata ? 'not_in_this_run',
        report.started_at desc, report.id
    )
    union
    -- the last word of each check: the next run goes by it
    (
      select distinct on (
        checked.check_type, checked.status, report.metadata ? 'narrowed_to', checked.metadata ->> 'coverage'
      )
        checked.report_id
      from ${table('checks')} as checked
      inner join ${table('reports')} as report on report.id = checked.report_id
      order by
        checked.check_type, checked.status, report.metadata ? 'narrowed_to', checked.metadata ->> 'coverage',
        report.started_at desc, checked.id
    )
    union
    select unnest(array[watermark.report_id, watermark.proven_report_id])
    from ${table('watermarks')} as watermark
    union
    select unnest(array[exception.report_id, exception.last_report_id])
    from ${table('exceptions')} as exception
    union
    select checked.report_id
    from ${table('exceptions')} as exception
    inner join ${table('checks')} as checked on checked.id = exception.check_id
    union
    select correction.report_id
    from ${table('corrections')} as correction
    union
    select alert.report_id
    from ${table('alerts')} as alert
    where alert.state <> 'delivered' or alert.delivered_at >= ${before}::timestamptz
  `;
}

/** What these runs saw of exceptions that were seen before and after them. */
function repeatedSightings(transaction: Transaction, schema: string, reportIds: readonly string[]) {
  return transaction`
    select finding.report_id, finding.exception_id
    from ${transaction(`${schema}.reconciliation_findings`)} as finding
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = finding.exception_id
    where
      finding.report_id = any (${[...reportIds]}::uuid[])
      and finding.report_id not in (exception.report_id, exception.last_report_id)
  `;
}

/** What no target waits for any longer; but what says that another alert is overtaken stays as long as that one. */
function deliveredAlerts(transaction: Transaction, schema: string, before: string) {
  const alerts = transaction(`${schema}.reconciliation_alerts`);
  return transaction`
    select alert.id
    from ${alerts} as alert
    left join (
      select overtaken.target, overtaken.body ->> 'dedup_key' as key, min(overtaken.number) as number
      from ${alerts} as overtaken
      where overtaken.state <> 'delivered'
      group by overtaken.target, overtaken.body ->> 'dedup_key'
    ) as earliest on earliest.target = alert.target and earliest.key = alert.body ->> 'dedup_key'
    where
      alert.state = 'delivered'
      and alert.delivered_at < ${before}::timestamptz
      and coalesce(alert.number < earliest.number, true)
  `;
}

/** Deletes some, and writes into the reports that these do not hold all any longer. Returns how many. */
async function deleteSightings(
  transaction: Transaction,
  schema: string,
  reportIds: readonly string[],
  now: string,
): Promise<number> {
  const [deleted] = await transaction<{ sightings: number }[]>`
    with
    deleted as (
      delete from ${transaction(`${schema}.reconciliation_findings`)} as finding
      using (${repeatedSightings(transaction, schema, reportIds)} limit ${rowsAtATime}) as repeated
      where finding.report_id = repeated.report_id and finding.exception_id = repeated.exception_id
      returning finding.report_id
    ),
    marked as (
      update ${transaction(`${schema}.reconciliation_reports`)} as report
      set metadata = report.metadata || jsonb_build_object('purged_at', ${now}::text)
      where report.id in (select deleted.report_id from deleted)
    )
    select count(*)::integer as sightings from deleted
  `;
  return deleted?.sightings ?? 0;
}

async function deleteRuns(transaction: Transaction, schema: string, reportIds: readonly string[]) {
  const checks = await transaction`
    delete from ${transaction(`${schema}.reconciliation_checks`)} as checked
    where checked.report_id = any (${[...reportIds]}::uuid[])
  `;
  const reports = await transaction`
    delete from ${transaction(`${schema}.reconciliation_reports`)} as report
    where report.id = any (${[...reportIds]}::uuid[])
  `;
  return { checks: checks.count, runs: reports.count };
}

async function deleteAlerts(transaction: Transaction, schema: string, before: string): Promise<number> {
  const deleted = await transaction`
    delete from ${transaction(`${schema}.reconciliation_alerts`)} as alert
    where alert.id in (${deliveredAlerts(transaction, schema, before)} limit ${rowsAtATime})
  `;
  return deleted.count;
}
