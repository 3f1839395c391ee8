import type { CheckName } from '../checks/names.ts';
import { cameBack } from '../corrections/figures.ts';
import type { Transaction } from '../database/database.ts';
import type { Severity } from '../kinds.ts';
import type { Report } from '../reports.ts';
import { verdictOf, type StoredCheck } from '../stored-checks.ts';
import { addToTotals, counted, observed, type Increment } from './totals.ts';

type EndedReport = Pick<Report, 'run_type' | 'status' | 'started_at' | 'completed_at'>;

/** Counts a run that ended, its checks and the exceptions that it made, in the transaction that ends it. */
export async function countRun(
  transaction: Transaction,
  schema: string,
  report: EndedReport & Pick<Report, 'id'>,
  checks: readonly StoredCheck[],
): Promise<void> {
  await addToTotals(transaction, schema, [
    ...ofRun(report),
    ...checks.flatMap(ofCheck),
    ...(await ofExceptions(transaction, schema, report.id)),
    ...(await ofReturned(transaction, schema, report.id)),
  ]);
}

/** Counts runs that died: nobody knows how long they took. */
export async function countDeadRuns(
  transaction: Transaction,
  schema: string,
  runs: readonly Pick<Report, 'run_type'>[],
): Promise<void> {
  const increments = runs.map(({ run_type }) => counted('reconciliation_runs_total', { run_type, status: 'failed' }));
  await addToTotals(transaction, schema, increments);
}

function ofRun({ run_type, status, started_at: from, completed_at: to }: EndedReport): Increment[] {
  const tookMs = to === null ? 0 : Math.max(0, Date.parse(to) - Date.parse(from)); // a clock may be set back
  return [
    counted('reconciliation_runs_total', { run_type, status }),
    ...observed('reconciliation_run_duration_seconds', { run_type }, tookMs),
  ];
}

function ofCheck(check: StoredCheck): Increment[] {
  const labels = { check_type: check.check_type };
  const verdict = verdictOf(check);
  return [
    counted('reconciliation_checks_total', labels),
    counted(verdict === 'passed' ? 'reconciliation_checks_passed_total' : 'reconciliation_checks_failed_total', labels),
    ...(verdict === 'incomplete' ? [counted('reconciliation_checks_incomplete_total', labels)] : []),
    ...observed('reconciliation_check_duration_seconds', labels, check.execution_time_ms),
  ];
}

async function ofExceptions(transaction: Transaction, schema: string, reportId: string): Promise<Increment[]> {
  const rows = await transaction<{ check_type: CheckName; severity: Severity; created: string }[]>`
    select exception.check_type, exception.severity, count(*) as created
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where exception.report_id = ${reportId}
    group by exception.check_type, exception.severity
    order by exception.check_type, exception.severity
  `;
  return rows.map(({ created, ...labels }) => counted('reconciliation_exceptions_total', labels, Number(created)));
}

/** Exceptions that came back after a correction that nobody undid: it did not last. */
async function ofReturned(transaction: Transaction, schema: string, reportId: string): Promise<Increment[]> {
  const rows = await transaction<{ check_type: CheckName; returned: string }[]>`
    select exception.check_type, count(*) as returned
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where exception.report_id = ${reportId} and ${cameBack(transaction, schema)}
    group by exception.check_type
    order by exception.check_type
  `;
  return rows.map(({ check_type, returned }) =>
    counted('reconciliation_corrections_total', { check_type, outcome: 'came_back' }, Number(returned)),
  );
}
