import type { Config } from '../config.ts';
import type { Transaction } from '../database/database.ts';
import { counts } from '../exceptions/state.ts';
import type { Sample } from './exposition.ts';
import { combinations, gauges, type GaugeName, type Labels } from './families.ts';
import { rowLeftNothingOut } from '../schedule/answers.ts';
import { successDue } from '../schedule/punctuality.ts';
import { runTypes, type RunType } from '../reports.ts';

/** How things stand now: the exceptions that are open, the last runs, what is due, and what waits to be delivered. */
export async function readGauges(
  transaction: Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<Sample[]> {
  return [
    ...filled('reconciliation_enabled', [{ labels: {}, value: config.enabled ? '1' : '0' }]),
    ...(await openExceptions(transaction, schema, now)),
    ...(await discrepancies(transaction, schema, now)),
    ...(await lastRuns(transaction, schema)),
    ...(await dueRuns(transaction, schema, config, now)),
    ...(await undelivered(transaction, schema)),
  ];
}

/** A value of a gauge, where there is one. */
interface Value {
  labels: Labels;
  value: string | null;
}

function known(name: GaugeName, values: readonly Value[]): Sample[] {
  return values.flatMap(({ labels, value }) => (value === null ? [] : [{ name, labels, value }]));
}

/** Every combination of labels, with a zero where the database has no row. */
function filled(name: GaugeName, values: readonly Value[]): Sample[] {
  const valueOf = (labels: Labels) =>
    values.find((one) => Object.entries(labels).every(([label, text]) => one.labels[label] === text))?.value ?? '0';
  return combinations(gauges[name].labels).map((labels) => ({ name, labels, value: valueOf(labels) }));
}

async function openExceptions(transaction: Transaction, schema: string, now: Date): Promise<Sample[]> {
  const rows = await transaction<{ severity: string; open: string; oldest: string }[]>`
    select exception.severity, count(*) as open, extract(epoch from min(exception.created_at)) as oldest
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${counts(transaction, now)}
    group by exception.severity
    order by exception.severity
  `;
  const values = (column: 'open' | 'oldest') =>
    rows.map((row) => ({ labels: { severity: row.severity }, value: row[column] }));
  return [
    ...filled('reconciliation_exceptions_unresolved', values('open')),
    ...known('reconciliation_oldest_unresolved_exception_timestamp_seconds', values('oldest')),
  ];
}

/** What has no currency is a number of things, and an amount that is not finite cannot be added up. */
async function discrepancies(transaction: Transaction, schema: string, now: Date): Promise<Sample[]> {
  const rows = await transaction<{ check_type: string; currency: string; amount: string }[]>`
    select
      exception.check_type,
      case when exception.currency in ('USD', 'USDC') then exception.currency else 'other' end as currency,
      sum(abs(exception.difference)) as amount
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where
      ${counts(transaction, now)}
      and exception.currency is not null
      and abs(exception.difference) < 'infinity'
    group by 1, 2
    order by 1, 2
  `;
  const values = rows.map(({ amount, ...labels }) => ({ labels, value: amount }));
  return filled('reconciliation_discrepancy_amount', values);
}

interface LastRun {
  run_type: RunType;
  succeeded: string;
  ended: string;
  took: string | null;
  last_success: string | null;
}

/** Of the runs that left nothing out: one over a part is no run of its type, whatever became of it. */
async function lastRuns(transaction: Transaction, schema: string): Promise<Sample[]> {
  const reports = transaction(`${schema}.reconciliation_reports`);
  const rows = await transaction<LastRun[]>`
    select
      known.run_type,
      (last.status = 'completed')::int::text as succeeded,
      extract(epoch from last.completed_at) as ended,
      -- a run that died did not end when the next one found it dead
      case when last.error_message is distinct from 'interrupted'
        then extract(epoch from last.completed_at - last.started_at) end as took,
      (
        select extract(epoch from report.completed_at)
        from ${reports} as report
        where
          report.run_type = known.run_type
          and report.status = 'completed'
          and ${rowLeftNothingOut(transaction)}
        order by report.created_at desc, report.id
        limit 1
      ) as last_success
    from unnest(${[...runTypes]}::text[]) as known (run_type)
    cross join lateral ( -- back from the newest, not through all years
      select report.*
      from ${reports} as report
      where
        report.run_type = known.run_type
        and report.status in ('completed', 'failed')
        and ${rowLeftNothingOut(transaction)}
      order by report.created_at desc, report.id
      limit 1
    ) as last
    order by known.run_type
  `;
  const values = (column: Exclude<keyof LastRun, 'run_type'>) =>
    rows.map((row) => ({ labels: { run_type: row.run_type }, value: row[column] }));
  return [
    ...known('reconciliation_last_run_success', values('succeeded')),
    ...known('reconciliation_last_run_timestamp_seconds', values('ended')),
    ...known('reconciliation_last_run_duration_seconds', values('took')),
    ...known('reconciliation_last_success_timestamp_seconds', values('last_success')),
  ];
}

async function dueRuns(transaction: Transaction, schema: string, config: Config, now: Date): Promise<Sample[]> {
  const due = await successDue(transaction, schema, config, now);
  const values = due.map(({ type, at }) => ({ labels: { run_type: type }, value: String(at.getTime() / 1000) }));
  return known('reconciliation_success_due_timestamp_seconds', values);
}

async function undelivered(transaction: Transaction, schema: string): Promise<Sample[]> {
  const rows = await transaction<{ target: string; state: string; alerts: string }[]>`
    select alert.target, alert.state, count(*) as alerts
    from ${transaction(`${schema}.reconciliation_alerts`)} as alert
    where alert.state <> 'delivered'
    group by alert.target, alert.state
    order by alert.target, alert.state
  `;
  const values = rows.map(({ alerts, ...labels }) => ({ labels, value: alerts }));
  return filled('reconciliation_alerts_undelivered', values);
}
