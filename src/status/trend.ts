import { checkNames, type CheckName } from '../checks/names.ts';
import type { Transaction } from '../database/database.ts';
import { verdictOf, type StoredCheck, type Verdict } from '../stored-checks.ts';

/** What the last 30 days looked like, day by day in UTC, the oldest first. */
export interface Trend {
  /** YYYY-MM-DD. */
  days: string[];
  checks: CheckTrend[];
  /** How many exceptions were new on each day. */
  new_exceptions: number[];
}

/** One check: for each day the last run that could tell, else the last one; null where there was none. */
export interface CheckTrend {
  check_type: CheckName;
  days: (DayOfCheck | null)[];
}

export interface DayOfCheck {
  verdict: Verdict;
  /** null: it could not tell. */
  findings: number | null;
}

const dayMs = 86_400_000;

/** How many days a trend goes back, today among them. */
const daysBack = 30;

/** The 30 days up to `until`. Runs that were narrowed say nothing about a whole check and are left out. */
export async function trendUntil(transaction: Transaction, schema: string, until: Date): Promise<Trend> {
  const days = daysUntil(until);
  const [since = ''] = days;
  const checked = await daysOfChecks(transaction, schema, since, until);
  const created = await newExceptions(transaction, schema, since, until);
  return {
    days,
    checks: checkNames.map((name) => ({
      check_type: name,
      days: days.map((day) => checked.get(`${name} ${day}`) ?? null),
    })),
    new_exceptions: days.map((day) => created.get(day) ?? 0),
  };
}

function daysUntil(until: Date): string[] {
  return Array.from({ length: daysBack }, (_, index) =>
    new Date(until.getTime() - (daysBack - 1 - index) * dayMs).toISOString().slice(0, 10),
  );
}

async function daysOfChecks(transaction: Transaction, schema: string, since: string, until: Date) {
  const rows = await transaction<DayRow[]>`
    with
    checked as (
      select
        stored.check_type,
        (stored.created_at at time zone 'UTC')::date as day,
        stored.created_at,
        stored.id,
        stored.status,
        stored.passed,
        coalesce((stored.metadata ->> 'findings')::bigint, 0) as findings
      from ${transaction(`${schema}.reconciliation_checks`)} as stored
      inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = stored.report_id
      where
        stored.check_type = any (${[...checkNames]}::text[])
        and stored.created_at >= ${since}::date::timestamp at time zone 'UTC'
        and stored.created_at <= ${until}::timestamptz
        and not report.metadata ? 'narrowed_to'
    )
    select distinct on (checked.check_type, checked.day)
      checked.check_type, checked.day::text as day, checked.status, checked.passed, checked.findings
    from checked
    order by checked.check_type, checked.day, checked.status = 'completed' desc, checked.created_at desc, checked.id
  `;
  return new Map(rows.map((row) => [`${row.check_type} ${row.day}`, dayOf(row)]));
}

type DayRow = Pick<StoredCheck, 'check_type' | 'status' | 'passed'> & { day: string; findings: string };

function dayOf(row: DayRow): DayOfCheck {
  const verdict = verdictOf(row);
  return { verdict, findings: verdict === 'incomplete' ? null : Number(row.findings) };
}

async function newExceptions(transaction: Transaction, schema: string, since: string, until: Date) {
  const rows = await transaction<{ day: string; created: string }[]>`
    select (exception.created_at at time zone 'UTC')::date::text as day, count(*) as created
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where
      exception.created_at >= ${since}::date::timestamp at time zone 'UTC'
      and exception.created_at <= ${until}::timestamptz
    group by day
    order by day
  `;
  return new Map(rows.map((row) => [row.day, Number(row.created)]));
}
