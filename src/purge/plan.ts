import type { Transaction } from '../database/database.ts';

/**
 * What a purge removes: of the hourly and manual runs before a moment that ended with a result, what nothing needs any
 * longer. An exception, its log, the daily runs, those that proved nothing, the totals, and what was told to whom and
 * when stay for ever; so does every run that one of them names, and of an exception its first and its last sighting.
 */
export interface Purge {
  /** Whole runs, with their checks. */
  runs: number;
  checks: number;
  /** What a run saw of an exception that was seen before it and after it. */
  sightings: number;
  /** Of alerts that were delivered. */
  alertBodies: number;
}

/** What a purge would remove now. */
export interface PurgePlan extends Purge {
  /** RFC 3339 in UTC. */
  before: string;
  /** The days (UTC) on which runs began of which something goes, the first one first. */
  days: readonly PlannedDay[];
}

export interface PlannedDay {
  day: string;
  /** The ids of the runs of which something goes. */
  runs: string[];
  /** Of those that go as a whole. */
  going: string[];
}

/** Looks what a purge of what is older than `before` would remove. Changes nothing. */
export async function planPurge(transaction: Transaction, schema: string, before: string): Promise<PurgePlan> {
  const days = await plannedDays(transaction, schema, before);
  const going = days.flatMap((day) => day.going);
  const [row] = await transaction<Record<'checks' | 'sightings' | 'alerts', string>[]>`
    select
      (
        select count(*)
        from ${transaction(`${schema}.reconciliation_checks`)} as checked
        where checked.report_id = any (${going}::uuid[])
      ) as checks,
      (
        select count(*)
        from (${repeatedSightings(transaction, schema)}) as repeated
        where repeated.report_id = any (${days.flatMap(({ runs }) => runs)}::uuid[])
      ) as sightings,
      (select count(*) from (${purgedAlerts(transaction, schema, before)}) as purged) as alerts
  `;
  return {
    before,
    days,
    runs: going.length,
    checks: Number(row?.checks),
    sightings: Number(row?.sightings),
    alertBodies: Number(row?.alerts),
  };
}

async function plannedDays(transaction: Transaction, schema: string, before: string): Promise<PlannedDay[]> {
  const rows = await transaction<PlannedDay[]>`
    with
    needed as (${neededRuns(transaction, schema)}),
    old as (
      select
        report.id,
        report.started_at,
        -- one that was interrupted, or in which a check could not tell, says that nothing was proven then
        report.status = 'completed' and needed.report_id is null as goes
      from ${transaction(`${schema}.reconciliation_reports`)} as report
      left join needed on needed.report_id = report.id
      where
        report.run_type <> 'daily'
        and report.status in ('completed', 'failed')
        and report.started_at < ${before}::timestamptz
    ),
    thinned as (
      select distinct repeated.report_id from (${repeatedSightings(transaction, schema)}) as repeated
    )
    select
      (old.started_at at time zone 'UTC')::date::text as day,
      array_agg(old.id order by old.started_at, old.id) as runs,
      coalesce(array_agg(old.id order by old.started_at, old.id) filter (where old.goes), '{}') as going
    from old
    left join thinned on thinned.report_id = old.id
    where old.goes or thinned.report_id is not null
    group by day
    order by day
  `;
  return [...rows];
}

function neededRuns(transaction: Transaction, schema: string) {
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
    -- what happened to an exception says in which run it did: that it was cleared is proven there
    select (event.details ->> 'report_id')::uuid
    from ${table('exception_events')} as event
    union
    select alert.report_id
    from ${table('alerts')} as alert
  `;
}

/** What runs saw of exceptions that were seen before and after them. */
export function repeatedSightings(transaction: Transaction, schema: string) {
  return transaction`
    select finding.report_id, finding.exception_id
    from ${transaction(`${schema}.reconciliation_findings`)} as finding
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = finding.exception_id
    where finding.report_id not in (exception.report_id, exception.last_report_id)
  `;
}

/** What no target waits for any longer; but what says that another alert is overtaken stays as long as that one. */
export function purgedAlerts(transaction: Transaction, schema: string, before: string) {
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
      and alert.body <> '{}'
      and coalesce(alert.number < earliest.number, true)
  `;
}
