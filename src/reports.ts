import { checkNames, type CheckName } from './checks/names.ts';
import type { Transaction } from './database/database.ts';
import { toJsonb } from './database/jsonb.ts';
import { onlyOne, whoseIdBegins } from './database/only-one.ts';
import { OperatorError } from './operator-error.ts';
import { isNoneUnderWay } from './run/lock.ts';

export const runTypes = ['hourly', 'daily', 'manual'] as const;
export type RunType = (typeof runTypes)[number];

/** A row of reconciliation_reports. Times are RFC 3339 in UTC. */
export interface Report {
  id: string;
  run_type: RunType;
  status: 'pending' | 'in_progress' | 'completed' | 'failed';
  started_at: string;
  completed_at: string | null;
  total_checks: number;
  passed_checks: number;
  failed_checks: number;
  exceptions_count: number;
  error_message: string | null;
  metadata: Record<string, unknown>;
  created_at: string;
}

/** A row of reconciliation_checks. Amounts are exact decimal text; an incomplete check has none, and an error. */
export interface StoredCheck {
  id: string;
  report_id: string;
  check_type: CheckName;
  status: 'completed' | 'failed';
  expected_value: string | null;
  actual_value: string | null;
  difference: string | null;
  passed: boolean;
  error_message: string | null;
  execution_time_ms: number;
  metadata: Record<string, unknown>;
  created_at: string;
}

/** Passed, failed (the books disagree) or incomplete (this run proves nothing). */
export type Verdict = 'passed' | 'failed' | 'incomplete';

/** What a stored check says. */
export function verdictOf(check: Pick<StoredCheck, 'status' | 'passed'>): Verdict {
  if (check.status === 'failed') return 'incomplete';
  return check.passed ? 'passed' : 'failed';
}

/** What stands in the report of a run that died; of one that was told to end, also by whom. */
export const interrupted = 'interrupted';

/** Whether a run is over, and says nothing of the books. */
export function endedWithoutResult({ status, metadata }: Pick<Report, 'status' | 'metadata'>): boolean {
  return status === 'failed' && metadata['verdict'] === undefined;
}

/** Closes the reports that dead runs left in progress. Only to be called by who holds the lock of all runs. */
export async function closeDeadReports(transaction: Transaction, schema: string, at: string): Promise<Report[]> {
  const rows = await transaction<Report[]>`
    update ${transaction(`${schema}.reconciliation_reports`)} as report
    set status = 'failed', completed_at = ${at}, error_message = ${interrupted}
    where report.status in ('pending', 'in_progress')
    returning ${reportColumns(transaction)}
  `;
  return [...rows];
}

/** Writes the report as `in_progress`. */
export async function beginReport(
  transaction: Transaction,
  schema: string,
  report: Pick<Report, 'id' | 'run_type' | 'started_at' | 'metadata'>,
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_reports`)} (
      id, run_type, status, started_at, created_at, metadata
    )
    values (
      ${report.id}, ${report.run_type}, 'in_progress', ${report.started_at}, ${report.started_at},
      ${toJsonb(report.metadata)}::text::jsonb
    )
  `;
}

/** Ends a report that is still in progress. Throws if a later run has already declared this one dead. */
export async function finishReport(transaction: Transaction, schema: string, report: Report): Promise<void> {
  const finished = await transaction`
    update ${transaction(`${schema}.reconciliation_reports`)} as stored
    set
      status = ${report.status},
      completed_at = ${report.completed_at},
      total_checks = ${report.total_checks},
      passed_checks = ${report.passed_checks},
      failed_checks = ${report.failed_checks},
      exceptions_count = ${report.exceptions_count},
      error_message = ${report.error_message},
      metadata = ${toJsonb(report.metadata)}::text::jsonb
    where stored.id = ${report.id} and stored.status = 'in_progress'
  `;
  if (finished.count === 0)
    throw new OperatorError(
      3,
      `A later run declared this one dead (report ${report.id}); nothing of it was stored.`,
      'Run again; look for a pause of minutes in this process or its database.',
    );
}

/** Adds to what the metadata of a report say, also when it has ended. */
export async function noteInReport(
  transaction: Transaction,
  schema: string,
  reportId: string,
  facts: Record<string, unknown>,
): Promise<void> {
  await transaction`
    update ${transaction(`${schema}.reconciliation_reports`)} as report
    set metadata = report.metadata || ${toJsonb(facts)}::text::jsonb
    where report.id = ${reportId}
  `;
}

/** Writes the checks of a report. */
export async function storeChecks(
  transaction: Transaction,
  schema: string,
  checks: readonly StoredCheck[],
): Promise<void> {
  for (const check of checks)
    await transaction`
      insert into ${transaction(`${schema}.reconciliation_checks`)} (
        id, report_id, check_type, status, expected_value, actual_value, difference, passed, error_message,
        execution_time_ms, metadata, created_at
      )
      values (
        ${check.id}, ${check.report_id}, ${check.check_type}, ${check.status}, ${check.expected_value},
        ${check.actual_value}, ${check.difference}, ${check.passed}, ${check.error_message},
        ${check.execution_time_ms}, ${toJsonb(check.metadata)}::text::jsonb, ${check.created_at}
      )
    `;
}

/** What a run reads of those before it. */
const pastTables = ['reports', 'checks', 'exceptions', 'watermarks', 'waiting', 'checkpoints'].map(
  (name) => `reconciliation_${name}`,
);

/** Whether past runs can be read: a dry run may come before our tables, or with a role that is not granted them. */
export async function hasReports(transaction: Transaction, schema: string): Promise<boolean> {
  const [row] = await transaction<{ found: boolean }[]>`
    select count(*) = ${pastTables.length} as found
    from pg_catalog.pg_tables
    where
      schemaname = ${schema}
      and tablename = any (${pastTables}::text[])
      and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')
  `;
  return row?.found === true;
}

/** How many records the last complete check of each type compared that looked at everything. */
export async function lastCompared(transaction: Transaction, schema: string): Promise<Map<string, number>> {
  const rows = await transaction<{ check_type: string; compared: string }[]>`
    select last.check_type, last.metadata ->> 'compared' as compared
    from ${lastChecks(
      transaction,
      schema,
      transaction`
        checked.status = 'completed'
        and checked.metadata ? 'compared'
        and checked.metadata ->> 'coverage' is distinct from 'changes'
      `,
    )} as last
  `;
  return new Map(rows.map((row) => [row.check_type, Number(row.compared)]));
}

/**
 * The last row of each check that meets a condition on `checked`, runs over a part of the books left out: they say
 * nothing about the whole. It goes back from the newest, and does not read the years before.
 */
export function lastChecks(transaction: Transaction, schema: string, condition = transaction`true`) {
  return transaction`
    (
      select last.*
      from unnest(${[...checkNames]}::text[]) as known (check_type)
      cross join lateral (
        select checked.*
        from ${transaction(`${schema}.reconciliation_checks`)} as checked
        inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = checked.report_id
        where checked.check_type = known.check_type and not report.metadata ? 'narrowed_to' and ${condition}
        order by checked.created_at desc, report.started_at desc, checked.id
        limit 1
      ) as last
      order by last.check_type
    )
  `;
}

/** The newest reports, newest first, with the number of all that match. */
export async function listReports(
  transaction: Transaction,
  schema: string,
  filter: { type: RunType | undefined; limit: number },
): Promise<{ reports: Report[]; matching: number }> {
  const isMeant = transaction`${filter.type ?? null}::text is null or report.run_type = ${filter.type ?? null}`;
  const reports = await transaction<Report[]>`
    select ${reportColumns(transaction)}
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    where ${isMeant}
    order by report.created_at desc, report.started_at desc, report.id
    limit ${filter.limit}
  `;
  const [count] = await transaction<{ matching: string }[]>`
    select count(*) as matching from ${transaction(`${schema}.reconciliation_reports`)} as report where ${isMeant}
  `;
  return { reports: await asTheyStand(transaction, schema, reports), matching: Number(count?.matching) };
}

/** The report whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function findReport(transaction: Transaction, schema: string, idPrefix: string): Promise<Report> {
  const found = await transaction<Report[]>`
    select ${reportColumns(transaction)}
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    ${whoseIdBegins(transaction, 'report.id', idPrefix)}
  `;
  const stand = await asTheyStand(transaction, schema, found);
  return onlyOne(stand, { noun: 'report', idPrefix, listedBy: '`recon reports list` shows them.' });
}

/**
 * The newest report that has a result, undefined where none has one; and the newest of all, where that has none (it runs,
 * or was interrupted).
 */
export async function latestReports(
  transaction: Transaction,
  schema: string,
): Promise<{ withResult: Report | undefined; without: Report | undefined }> {
  const newest = await newestReport(transaction, schema);
  const withResult = await newestReport(
    transaction,
    schema,
    transaction`(report.status = 'completed' or report.metadata ? 'verdict')`,
  );
  return { withResult, without: newest?.id === withResult?.id ? undefined : newest };
}

async function newestReport(
  transaction: Transaction,
  schema: string,
  condition = transaction`true`,
): Promise<Report | undefined> {
  const newest = await transaction<Report[]>`
    select ${reportColumns(transaction)}
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    where ${condition}
    order by report.created_at desc, report.started_at desc, report.id
    limit 1
  `;
  return (await asTheyStand(transaction, schema, newest))[0];
}

/**
 * These reports, of which one that says that it runs is told as the next run will write it (`closeDeadReports`) where its
 * process is gone: it would hold the lock of all runs from before its report until that has ended. So the order counts:
 * who has ended by the time of the look at the lock is read again after it.
 */
async function asTheyStand(transaction: Transaction, schema: string, reports: readonly Report[]): Promise<Report[]> {
  const open = reports.filter(isOpen).map(({ id }) => id);
  if (open.length === 0 || !(await isNoneUnderWay(transaction, schema))) return [...reports];
  const again = await transaction<Report[]>`
    select ${reportColumns(transaction)}
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    where report.id = any (${open}::uuid[])
  `;
  const later = new Map(again.map((report) => [report.id, isOpen(report) ? dead(report) : report]));
  return reports.map((report) => later.get(report.id) ?? report);
}

function isOpen({ status }: Report): boolean {
  return status === 'pending' || status === 'in_progress';
}

/** When it ended nobody knows. */
function dead(report: Report): Report {
  return { ...report, status: 'failed', error_message: interrupted };
}

/** The checks of a report in the order in which they run and are shown, those of an older recon last. */
export async function checksOf(transaction: Transaction, schema: string, reportId: string): Promise<StoredCheck[]> {
  const rows = await transaction<(Omit<StoredCheck, 'execution_time_ms'> & { execution_time_ms: string })[]>`
    select
      checked.id, checked.report_id, checked.check_type, checked.status, checked.expected_value, checked.actual_value,
      checked.difference, checked.passed, checked.error_message, checked.execution_time_ms, checked.metadata,
      checked.created_at
    from ${transaction(`${schema}.reconciliation_checks`)} as checked
    where checked.report_id = ${reportId}
    order by array_position(${[...checkNames]}::text[], checked.check_type), checked.check_type, checked.id
  `;
  return rows.map((row) => ({ ...row, execution_time_ms: Number(row.execution_time_ms) }));
}

function reportColumns(transaction: Transaction) {
  return transaction`
    report.id, report.run_type, report.status, report.started_at, report.completed_at, report.total_checks,
    report.passed_checks, report.failed_checks, report.exceptions_count, report.error_message, report.metadata,
    report.created_at
  `;
}
