import type { Transaction } from '../database/database.ts';
import type { Report } from '../reports.ts';

// Which runs count as the one that was expected: the one definition for `recon status`, the alerts and the metrics.

/** Whether a run was over all checks that are on, and over everything: no other is the one that is expected. */
export function leftNothingOut({ metadata }: Pick<Report, 'metadata'>): boolean {
  return metadata['not_in_this_run'] === undefined && metadata['narrowed_to'] === undefined;
}

/** `leftNothingOut` of a row that is named `report`. */
export function rowLeftNothingOut(transaction: Transaction) {
  return transaction`not report.metadata ?| array['not_in_this_run', 'narrowed_to']`;
}

/**
 * The table `answer` (run_type, at): when expected times were met. By a run that began, whatever became of it, for that is
 * told as what it is; with `which`, only by one that ended so. Or by one that found itself switched off: nothing was
 * expected then.
 */
export function answers(transaction: Transaction, schema: string, which: 'begun' | 'completed') {
  return transaction`
    (
      select report.run_type, report.started_at as at
      from ${transaction(`${schema}.reconciliation_reports`)} as report
      where ${rowLeftNothingOut(transaction)} and (${which === 'begun'} or report.status = 'completed')
      union all
      select off.run_type, off.found_at
      from ${transaction(`${schema}.reconciliation_switched_off`)} as off
    ) as answer
  `;
}
