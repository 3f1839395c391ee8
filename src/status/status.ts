import { undelivered } from '../alerts/outbox.ts';
import type { Accountless } from '../checks/custody-users.ts';
import { checkNames, type CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import {
  correctionFigures,
  undoingFigures,
  type CorrectionFigures,
  type UndoingFigures,
} from '../corrections/figures.ts';
import { lastBrokenOff, type BrokenOff } from '../corrections/reported.ts';
import { stoppedSentence, switchOf } from '../corrections/switch.ts';
import type { Transaction } from '../database/database.ts';
import { listOf } from '../database/list-of.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { anyException } from '../exceptions/filter.ts';
import { streamExceptions } from '../exceptions/store.ts';
import {
  countOf,
  heldExceptions,
  notOpen,
  openTotals,
  type ExceptionTotal,
  type Held,
  type NotOpen,
} from '../exceptions/totals.ts';
import { isTooFew } from '../incomplete.ts';
import { noneBySeverity, severities, type Severity } from '../kinds.ts';
import { heldOf, stepsOf, type Step } from './next-steps.ts';
import { listReports, type Report } from '../reports.ts';
import { lastChecks, lastCompared, verdictOf, type StoredCheck, type Verdict } from '../stored-checks.ts';
import { scheduledRuns, type ScheduledRuns } from '../schedule/runs.ts';
import { trendUntil, type Trend } from './trend.ts';

/** Where one check stands. Times are RFC 3339 in UTC; null: never. */
export interface CheckStatus {
  check_type: CheckName;
  /** Whether RECONCILIATION_CHECKS names it. */
  on: boolean;
  /** Of the last run that ran it, narrowed ones left out. */
  verdict: Verdict | null;
  report_id: string | null;
  checked_at: string | null;
  /** Why the last run could not tell. */
  error_message: string | null;
  /** Whether it did not believe that so few records are there: `--accept-fewer`. */
  too_few: boolean;
  verified_through: string | null;
  /** The cut of the last complete run that looked at everything. */
  proven_as_of: string | null;
  /** Of a custodian: whose money the books count there without an account; null: not looked at. */
  without_account: Accountless | null;
  /** How many records it compared then; null: never. */
  compared: number | null;
}

/** Where everything stands. */
export interface Status {
  environment: string;
  /** RECONCILIATION_ENABLED; where it is false, hourly and daily runs do nothing. */
  enabled: boolean;
  runs: ScheduledRuns[];
  checks: CheckStatus[];
  /** How many exceptions are open: what is snoozed or accepted is not. */
  open_exceptions: Record<Severity, number>;
  open_totals: ExceptionTotal[];
  /** Who has how many of the open. */
  held: Held[];
  /** What is snoozed or accepted. */
  not_open: NotOpen[];
  trend: Trend;
  /** What became of the corrections of the last 30 days. */
  corrections: CorrectionFigures &
    UndoingFigures & {
      automatic: boolean;
      stopped: boolean;
      /** By whom, and why; null: they are not stopped. */
      why_stopped: string | null;
      broken_off: BrokenOff | null;
    };
  /** Alerts that nobody has heard of: those that wait, and those of the last 30 days that were given up. */
  alerts: Record<'waiting' | 'dead', number>;
  /** The newest run; null: there was none. */
  last_report: Report | null;
  /** The newest manual run, also where a scheduled one came after it; null: there was none. */
  manual_report: Report | null;
  /** What to do next, the most urgent first. */
  next: Step[];
}

/** Reads where everything stands: the runs and the schedule, each check, the open exceptions, the last 30 days. */
export async function statusOf(transaction: Transaction, schema: string, config: Config, now: Date): Promise<Status> {
  const rows = await standings(transaction, schema);
  const known = new Map(rows.map((row) => [row.check_type, row]));
  const compared = await lastCompared(transaction, schema);
  const { reports } = await listReports(transaction, schema, { type: undefined, limit: 1 });
  const { reports: manual } = await listReports(transaction, schema, { type: 'manual', limit: 1 });
  const openTotal = await openTotals(transaction, schema, now);
  const since = new Date(now.getTime() - 30 * 86_400_000);
  const correctionSwitch = await switchOf(transaction, schema);
  const standing = {
    environment: config.environment,
    enabled: config.enabled,
    runs: await scheduledRuns(transaction, schema, config, now),
    checks: checkNames.map((name) => ({
      ...(known.get(name) ?? neverRun),
      check_type: name,
      on: config.checks.includes(name),
      compared: compared.get(name) ?? null,
    })),
    open_exceptions: countBySeverity(openTotal),
    open_totals: openTotal,
    held: await heldExceptions(transaction, schema, now),
    not_open: await notOpen(transaction, schema, now),
    trend: await trendUntil(transaction, schema, now),
    corrections: {
      automatic: config.corrections.automatic,
      stopped: correctionSwitch.stopped,
      why_stopped: correctionSwitch.stopped ? stoppedSentence(correctionSwitch) : null,
      broken_off: await lastBrokenOff(transaction, schema, since),
      ...(await correctionFigures(transaction, schema, { since })),
      ...(await undoingFigures(transaction, schema, since)),
    },
    alerts: await undelivered(transaction, schema, since),
    last_report: reports[0] ?? null,
    manual_report: manual[0] ?? null,
  };
  return { ...standing, next: stepsOf(standing, await firstToTake(transaction, schema, standing, now)) };
}

/** The open exception to begin with: what nobody has yet comes first. */
async function firstToTake(
  transaction: Transaction,
  schema: string,
  { open_exceptions: open, held }: Pick<Status, 'open_exceptions' | 'held'>,
  at: Date,
): Promise<StoredException | undefined> {
  const descending = severities.toReversed();
  const free = descending.find((severity) => open[severity] > heldOf(severity, held));
  const severity = free ?? descending.find((one) => open[one] > 0);
  if (severity === undefined) return undefined;
  // a look at fewer than all of them
  const filter = { ...anyException, status: 'open' as const, at, severities: [severity], isFree: free !== undefined };
  const [first] = await listOf(streamExceptions(transaction, schema, filter, { limit: 1 }));
  return first;
}

const neverRun = {
  verdict: null,
  report_id: null,
  checked_at: null,
  error_message: null,
  too_few: false,
  verified_through: null,
  proven_as_of: null,
  without_account: null,
};

async function standings(transaction: Transaction, schema: string): Promise<Omit<CheckStatus, 'on' | 'compared'>[]> {
  const rows = await transaction<
    (Omit<CheckStatus, 'on' | 'compared' | 'verdict' | 'too_few'> &
      Pick<StoredCheck, 'status' | 'passed' | 'metadata'>)[]
  >`
    select
      last.check_type, last.status, last.passed, last.report_id, last.created_at as checked_at, last.error_message,
      last.metadata, last.metadata #> '{details,without_account}' as without_account, watermark.verified_through,
      watermark.proven_as_of
    from ${lastChecks(transaction, schema)} as last
    left join ${transaction(`${schema}.reconciliation_watermarks`)} as watermark on watermark.check_type = last.check_type
    order by last.check_type
  `;
  return rows.map(({ status, passed, metadata, ...row }) => ({
    ...row,
    verdict: verdictOf({ status, passed }),
    too_few: isTooFew(metadata),
  }));
}

function countBySeverity(totals: readonly ExceptionTotal[]): Record<Severity, number> {
  const counts = noneBySeverity();
  for (const total of totals) counts[total.severity] += countOf(total);
  return counts;
}
