import { type Comparison, type CurrencyTotals, type Finding } from './checks/check.ts';
import type { CheckName } from './checks/names.ts';
import { inTransaction, type Database } from './database.ts';
import { columnsOf, type StoredException } from './exceptions/exception.ts';
import { clearUnseen, recordFindings } from './exceptions/life.ts';
import { anyException, listExceptions } from './exceptions/store.ts';
import { strongest, type ExitCode } from './exit-codes.ts';
import { Incomplete } from './incomplete.ts';
import { storableText } from './jsonb.ts';
import { severities, type Severity } from './kinds.ts';
import { money, sum, toText } from './money.ts';
import { finishReport, storeChecks, type Report, type StoredCheck, type Verdict } from './reports.ts';
import type { Mask } from './secrets.ts';

/** What became of one check in this run. */
export interface CheckOutcome {
  name: CheckName;
  id: string;
  startedAt: Date;
  executionMs: number;
  /** Either what was compared, or why nothing was proven. */
  result: Comparison | Incomplete;
}

/** What a run leaves behind: the rows that were stored, or in a dry run those that would have been. */
export interface RunResult {
  report: Report;
  checks: StoredCheck[];
  /** New and seen again in this run, the most severe first. */
  exceptions: StoredException[];
  /** How many exceptions this run cleared. */
  cleared: number;
  /** Exit codes of the checks that prove nothing. */
  incompleteCodes: readonly ExitCode[];
}

/** Where a run is stored, and whether it saw enough to clear what it did not see again. */
export interface Storage {
  database: Database;
  schema: string;
  clears: boolean;
}

/** Turns the outcomes into rows and, with a storage, stores all of them in one transaction, or nothing. */
export async function endRun(
  begun: Report,
  outcomes: readonly CheckOutcome[],
  endedAt: Date,
  mask: Mask,
  storage: Storage | undefined,
): Promise<RunResult> {
  const completedAt = endedAt.toISOString();
  const checks = outcomes.map((outcome) => toStoredCheck(outcome, begun.id, mask));
  const findings = outcomes.flatMap(({ result }) => (result instanceof Incomplete ? [] : result.findings));
  const report = toReport(begun, checks, findings.length, completedAt);
  const incompleteCodes = outcomes.flatMap(({ result }) => (result instanceof Incomplete ? [result.exitCode] : []));
  if (storage === undefined) {
    const exceptions = findings.map((finding) => toUnstored(finding, completedAt)).sort(mostSevereFirst);
    return { report, checks, exceptions, cleared: 0, incompleteCodes };
  }
  const cleared = await store(storage, report, outcomes, checks, findings, completedAt);
  const filter = { ...anyException, reportId: report.id };
  const { exceptions } = await listExceptions(storage.database, storage.schema, filter);
  return { report, checks, exceptions, cleared, incompleteCodes };
}

async function store(
  { database, schema, clears }: Storage,
  report: Report,
  outcomes: readonly CheckOutcome[],
  checks: readonly StoredCheck[],
  findings: readonly Finding[],
  seenAt: string,
): Promise<number> {
  const checkIds: Partial<Record<CheckName, string>> = Object.fromEntries(outcomes.map(({ name, id }) => [name, id]));
  const proven = outcomes.filter(({ result }) => !(result instanceof Incomplete) && !result.truncated);
  return inTransaction(database, 'read write', async (transaction) => {
    await finishReport(transaction, schema, report);
    await storeChecks(transaction, schema, checks);
    await recordFindings(transaction, schema, { reportId: report.id, seenAt, checkIds, findings });
    if (!clears) return 0;
    return clearUnseen(
      transaction,
      schema,
      report.id,
      seenAt,
      proven.map(({ name }) => name),
    );
  });
}

function toReport(begun: Report, checks: readonly StoredCheck[], findings: number, completedAt: string): Report {
  const incomplete = checks.filter((check) => check.status === 'failed').length;
  const passed = checks.filter((check) => check.passed).length;
  const failed = checks.length - passed;
  const verdict: Verdict = incomplete > 0 ? 'incomplete' : failed > 0 ? 'failed' : 'passed';
  return {
    ...begun,
    status: incomplete > 0 ? 'failed' : 'completed',
    completed_at: completedAt,
    total_checks: checks.length,
    passed_checks: passed,
    failed_checks: failed,
    exceptions_count: findings,
    error_message: incomplete > 0 ? `${incomplete} of ${checks.length} checks incomplete` : null,
    metadata: { ...begun.metadata, verdict, incomplete_checks: incomplete },
  };
}

function toStoredCheck(outcome: CheckOutcome, reportId: string, mask: Mask): StoredCheck {
  const { name, id, startedAt, executionMs, result } = outcome;
  const row = {
    id,
    report_id: reportId,
    check_type: name,
    execution_time_ms: executionMs,
    created_at: startedAt.toISOString(),
  };
  if (result instanceof Incomplete) {
    const nothing = { expected_value: null, actual_value: null, difference: null, passed: false };
    const error = storableText(mask(result.message));
    return {
      ...row,
      ...nothing,
      status: 'failed',
      error_message: error,
      metadata: { verdict: 'incomplete', exit_code: result.exitCode },
    };
  }
  return {
    ...row,
    ...sidesOf(result),
    status: 'completed',
    error_message: null,
    metadata: masked(describeComparison(result), mask),
  };
}

/**
 * A custodian may send our own key back to us, in a token's name for one. An amount that happens to hold the digits of
 * a password stays an amount.
 */
function masked(metadata: Record<string, unknown>, mask: Mask): Record<string, unknown> {
  const maskText = (_name: string, value: unknown): unknown =>
    typeof value === 'string' && !/^-?[\d.]+$/.test(value) ? mask(value) : value;
  return JSON.parse(JSON.stringify(metadata), maskText) as Record<string, unknown>;
}

/** The scalar columns add USDC and USD at par, for the eye only; the metadata has both sides per currency. */
function sidesOf({ totals, findings }: Comparison) {
  const expected = sum(totals.map((total) => money(total.expected)));
  const actual = sum(totals.map((total) => money(total.actual)));
  return {
    expected_value: toText(expected),
    actual_value: toText(actual),
    difference: toText(actual.minus(expected)),
    passed: findings.length === 0,
  };
}

function describeComparison({ compared, totals, findings, truncated, details }: Comparison): Record<string, unknown> {
  return {
    verdict: findings.length === 0 ? 'passed' : 'failed',
    compared,
    findings: findings.length,
    awaited: totals.reduce((all, { awaited }) => all + awaited, 0),
    in_flight: totals.reduce((all, { inFlight }) => all + inFlight, 0),
    ...(truncated && { truncated }),
    currencies: totals.map(describeCurrency).filter(holdsMoney),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

function describeCurrency(total: CurrencyTotals) {
  return {
    currency: total.currency,
    expected: total.expected,
    actual: total.actual,
    difference: toText(money(total.actual).minus(money(total.expected))),
    awaited_amount: total.awaitedAmount,
    in_flight_amount: total.inFlightAmount,
  };
}

/** Records whose source names no currency stand in a line of their own, if there are any. */
function holdsMoney({ currency, ...amounts }: ReturnType<typeof describeCurrency>): boolean {
  return currency !== null || Object.values(amounts).some((amount) => amount !== '0');
}

/** In a dry run: the row that would be stored, without the ids that it would get. */
function toUnstored(finding: Finding, seenAt: string): StoredException {
  return {
    id: null,
    report_id: null,
    check_id: null,
    ...columnsOf(finding),
    auto_corrected: false,
    correction_action: null,
    resolved_at: null,
    resolved_by: null,
    resolution_notes: null,
    last_report_id: null,
    last_seen_at: seenAt,
    occurrences: 1,
    previous_exception_id: null,
    created_at: seenAt,
  };
}

function mostSevereFirst(left: StoredException, right: StoredException): number {
  const bySeverity = severities.indexOf(right.severity) - severities.indexOf(left.severity);
  return bySeverity !== 0 ? bySeverity : left.fingerprint < right.fingerprint ? -1 : 1;
}

export type FailOn = Severity | 'never';

/** The exit code of a finished run: what could not be told outweighs what was found. */
export function exitCodeOf(result: RunResult, failOn: FailOn): ExitCode {
  const found =
    failOn !== 'never' &&
    result.exceptions.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn));
  return strongest([...result.incompleteCodes, found ? 2 : 0]);
}
