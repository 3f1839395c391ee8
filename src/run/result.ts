import type { Comparison, CurrencyTotals } from '../checks/check.ts';
import { storableText } from '../database/jsonb.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { strongest, type ExitCode } from '../exit-codes.ts';
import { Incomplete } from '../incomplete.ts';
import { severities, severitiesFrom, type Severity } from '../kinds.ts';
import { money, sum, toText } from '../money.ts';
import type { Report } from '../reports.ts';
import type { StoredCheck, Verdict } from '../stored-checks.ts';
import { maskValues, type Mask } from '../secrets.ts';
import { movedOn, type CheckOutcome, type Compared } from './outcome.ts';

/** What a run leaves behind: the rows that were stored, or in a dry run those that would have been. */
export interface RunResult {
  report: Report;
  checks: StoredCheck[];
  /** How many exceptions of each severity this run found, new ones and those seen again, but for the accepted ones. */
  found: Readonly<Record<Severity, number>>;
  /** These exceptions, the most severe first. There may be a million: each call reads them anew, a batch at a time. */
  exceptions: (limit?: number) => Iterable<StoredException> | AsyncIterable<StoredException>;
  /** How many exceptions this run cleared. */
  cleared: number;
  /** Exit codes of the checks that prove nothing. */
  incompleteCodes: readonly ExitCode[];
}

/** The part of a result that needs no database. */
export type Conclusion = Omit<RunResult, 'exceptions' | 'cleared'>;

/** Turns the outcomes into the rows of the report and of its checks. */
export function conclude(begun: Report, outcomes: readonly CheckOutcome[], endedAt: Date, mask: Mask): Conclusion {
  const checks = outcomes.map((outcome) => toStoredCheck(outcome, begun.id, mask));
  const found = countFound(outcomes);
  const findings = comparedOf(outcomes).reduce((all, compared) => all + compared.findings.count(), 0);
  return {
    report: toReport(begun, checks, findings, endedAt.toISOString()),
    checks,
    found,
    incompleteCodes: outcomes.flatMap(({ result }) => (result instanceof Incomplete ? [result.exitCode] : [])),
  };
}

export type FailOn = Severity | 'never';

/** The exit code of a finished run: what could not be told outweighs what was found. */
export function exitCodeOf(result: Conclusion, failOn: FailOn): ExitCode {
  const counted = failOn === 'never' ? [] : severitiesFrom(failOn);
  const found = counted.some((severity) => result.found[severity] > 0);
  return strongest([...result.incompleteCodes, found ? 2 : 0]);
}

function comparedOf(outcomes: readonly CheckOutcome[]): Compared[] {
  return outcomes.flatMap(({ result }) => (result instanceof Incomplete ? [] : [result]));
}

function countFound(outcomes: readonly CheckOutcome[]): Record<Severity, number> {
  const compared = comparedOf(outcomes);
  const count = (severity: Severity) =>
    compared.reduce((all, { findings, accepted }) => all + findings.count(severity) - accepted[severity], 0);
  return { low: count('low'), medium: count('medium'), high: count('high'), critical: count('critical') };
}

/** Of whatever severity. */
function countAll(counts: RunResult['found']): number {
  return severities.reduce((all, severity) => all + counts[severity], 0);
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
      metadata: maskValues(
        { verdict: 'incomplete', exit_code: result.exitCode, ...describeControl(outcome), ...detailsOf(result) },
        mask,
      ),
    };
  }
  return {
    ...row,
    ...sidesOf(result),
    status: 'completed',
    error_message: null,
    metadata: maskValues(
      { ...describeComparison(result), ...describeControl(outcome), ...describeCoverage(outcome, result) },
      mask,
    ),
  };
}

/** The scalar columns add USDC and USD at par, for the eye only; the metadata has both sides per currency. */
function sidesOf({ totals, ...compared }: Compared) {
  const expected = sum(totals.map((total) => money(total.expected)));
  const actual = sum(totals.map((total) => money(total.actual)));
  return {
    expected_value: toText(expected),
    actual_value: toText(actual),
    difference: toText(actual.minus(expected)),
    passed: isPassed(compared),
  };
}

function detailsOf({ details }: Pick<Comparison, 'details'>): { details?: Record<string, unknown> } {
  return Object.keys(details).length > 0 ? { details } : {};
}

/** What is accepted is known: it does not fail the check. */
function isPassed({ findings, accepted }: Pick<Compared, 'findings' | 'accepted'>): boolean {
  return findings.count() === countAll(accepted);
}

function describeComparison(result: Compared): Record<string, unknown> {
  const { compared, totals, findings, truncated, details } = result;
  const accepted = countAll(result.accepted);
  return {
    verdict: isPassed(result) ? 'passed' : 'failed',
    compared,
    findings: findings.count(),
    ...(accepted > 0 && { accepted }),
    awaited: totals.reduce((all, { awaited }) => all + awaited, 0),
    in_flight: totals.reduce((all, { inFlight }) => all + inFlight, 0),
    ...(truncated && { truncated }),
    currencies: totals.map(describeCurrency).filter(holdsMoney),
    ...detailsOf({ details }),
  };
}

/** Whether the check found the faults of the canary; null: there is none for it. */
function describeControl({ control }: CheckOutcome): { canary?: Record<string, unknown> | null } {
  if (control === 'not asked') return {};
  if (control === 'none') return { canary: null };
  if (control instanceof Incomplete) return { canary: { verdict: 'incomplete' } };
  const { planted, found, surplus, problem } = control;
  return { canary: { verdict: problem === null ? 'passed' : 'failed', planted, found, surplus } };
}

/** What was looked at, and how far the check is verified by it. */
function describeCoverage(outcome: CheckOutcome, { coverage }: Compared): Record<string, unknown> {
  const { verifies } = outcome;
  if (verifies === undefined) return { coverage };
  const { since, provenAsOf, why } = verifies.window;
  return {
    coverage,
    ...(coverage === 'changes' ? { verified_since: since, proven_as_of: provenAsOf } : why && { why_everything: why }),
    ...describeReach(outcome, verifies),
  };
}

function describeReach(outcome: CheckOutcome, { window, times }: NonNullable<CheckOutcome['verifies']>) {
  const { result } = outcome;
  if (movedOn(outcome)) return { verified_through: window.until, ...(times.heldBack && { held_back: times.heldBack }) };
  const truncated = !(result instanceof Incomplete) && result.truncated;
  return { not_verified: truncated ? 'it stopped at its limit of findings' : 'too much is not final to be listed' };
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
