import { targetNames } from '../alerts/target.ts';
import { checkNames } from '../checks/names.ts';
import { severities } from '../kinds.ts';
import { runTypes } from '../reports.ts';

export type Labels = Readonly<Record<string, string>>;

/** What the series of one name have in common. The values of every label are closed lists: never an id. */
interface Family {
  readonly help: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

const run_type = runTypes;
const check_type = checkNames;
const severity = severities;

/** What is counted: totals in the database, exported with a zero for everything that has not happened yet. */
export const counters = {
  reconciliation_runs_total: {
    help: 'Runs that ended: completed, or failed where at least one check proves nothing or the run broke off.',
    labels: { run_type, status: ['completed', 'failed'] },
  },
  reconciliation_checks_total: { help: 'Checks that ended, whatever they say.', labels: { check_type } },
  reconciliation_checks_passed_total: { help: 'Checks that found nothing.', labels: { check_type } },
  reconciliation_checks_failed_total: {
    help: 'Checks that found something or prove nothing.',
    labels: { check_type },
  },
  reconciliation_checks_incomplete_total: { help: 'Checks that prove nothing.', labels: { check_type } },
  reconciliation_exceptions_total: {
    help: 'Exceptions that were created, by their severity at that time.',
    labels: { check_type, severity },
  },
  reconciliation_exceptions_auto_corrected_total: {
    help: 'Exceptions that were corrected automatically.',
    labels: { check_type },
  },
  reconciliation_corrections_total: {
    help: 'Corrections by their end: corrected, refused by a rule of recon, failed at the host; exceptions that came back after one; and what became of undoing one.',
    labels: {
      check_type,
      outcome: ['corrected', 'refused', 'failed', 'came_back', 'undone', 'undo_refused', 'undo_failed'],
    },
  },
  reconciliation_alerts_total: {
    help: 'Exceptions that alerts were written for, those that are over aside; an incomplete check counts as one of high severity.',
    labels: { check_type, severity },
  },
  reconciliation_alert_deliveries_total: {
    help: 'Attempts to deliver an alert: delivered, failed, or failed for the last time (dead).',
    labels: { target: targetNames, outcome: ['delivered', 'failed', 'dead'] },
  },
} as const satisfies Record<string, Family>;

export type CounterName = keyof typeof counters;

/** Durations in seconds, cumulative buckets. They are totals too: a process that lives for seconds has no history. */
export const histograms = {
  reconciliation_run_duration_seconds: {
    help: 'How long runs took.',
    labels: { run_type },
    buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 3600],
  },
  reconciliation_check_duration_seconds: {
    help: 'How long checks took, the reading of a custodian included.',
    labels: { check_type },
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800],
  },
} as const satisfies Record<string, Family & { buckets: readonly number[] }>;

export type HistogramName = keyof typeof histograms;

/** How things stand. One that has no value yet (when did a run last succeed?) is left out, never zero. */
export const gauges = {
  reconciliation_enabled: { help: '0 while RECONCILIATION_ENABLED is false.', labels: {} },
  reconciliation_exceptions_unresolved: {
    help: 'Exceptions that are neither resolved nor accepted.',
    labels: { severity },
  },
  reconciliation_oldest_unresolved_exception_timestamp_seconds: {
    help: 'When the oldest exception that is neither resolved nor accepted was first seen.',
    labels: { severity },
  },
  reconciliation_discrepancy_amount: {
    help: 'Sum of the absolute differences of the exceptions that are neither resolved nor accepted.',
    labels: { check_type, currency: ['USD', 'USDC', 'other'] },
  },
  reconciliation_last_run_success: {
    help: '1 if the last run of this type completed, 0 if it failed.',
    labels: { run_type },
  },
  reconciliation_last_run_timestamp_seconds: { help: 'When the last run of this type ended.', labels: { run_type } },
  reconciliation_last_run_duration_seconds: { help: 'How long the last run of this type took.', labels: { run_type } },
  reconciliation_last_success_timestamp_seconds: {
    help: 'When a run of this type last completed over all checks that are on.',
    labels: { run_type },
  },
  reconciliation_success_due_timestamp_seconds: {
    help: 'When the next such run must have completed by, after RECONCILIATION_HOURLY_INTERVAL and RECONCILIATION_DAILY_RUN_TIME.',
    labels: { run_type: ['hourly', 'daily'] },
  },
  reconciliation_alerts_undelivered: {
    help: 'Alerts that wait for the next attempt, or that were given up (dead).',
    labels: { target: targetNames, state: ['waiting', 'dead'] },
  },
} as const satisfies Record<string, Family>;

export type GaugeName = keyof typeof gauges;

/** Every combination of the values of a family's labels. */
export function combinations(labels: Family['labels']): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (made, [name, values]) => made.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}
