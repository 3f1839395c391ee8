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

function reportColumns(transaction: Transaction) {
  return transaction`
    report.id, report.run_type, report.status, report.started_at, report.completed_at, report.total_checks,
    report.passed_checks, report.failed_checks, report.exceptions_count, report.error_message, report.metadata,
    report.created_at
  `;
}
