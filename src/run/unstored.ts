import type { FindingColumns, StoredException } from '../exceptions/exception.ts';
import { Incomplete } from '../incomplete.ts';
import { severities } from '../kinds.ts';
import type { CheckOutcome } from './outcome.ts';

/** What a dry run found: the rows that would be stored, without the ids that they would get, the most severe first. */
export function* unstoredExceptions(
  outcomes: readonly CheckOutcome[],
  seenAt: string,
  limit = Infinity,
): Generator<StoredException> {
  let given = 0;
  for (const rows of mostSevereFirst(outcomes))
    for (const row of JSON.parse(rows) as FindingColumns[]) {
      if (given === limit) return;
      given += 1;
      yield toUnstored(row, seenAt);
    }
}

/** In the order of a list: by severity, then by fingerprint, which begins with the name of the check. */
function* mostSevereFirst(outcomes: readonly CheckOutcome[]): Generator<string> {
  const byName = outcomes.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  for (const severity of severities.toReversed())
    for (const { result } of byName) if (!(result instanceof Incomplete)) yield* result.findings.batches(severity);
}

function toUnstored(row: FindingColumns, seenAt: string): StoredException {
  return {
    id: null,
    report_id: null,
    check_id: null,
    ...row,
    auto_corrected: false,
    correction_action: null,
    resolved_at: null,
    resolved_by: null,
    resolution_notes: null,
    acknowledged_at: null,
    acknowledged_by: null,
    assignee: null,
    snoozed_until: null,
    accepted_until: null,
    last_report_id: null,
    last_seen_at: seenAt,
    occurrences: 1,
    previous_exception_id: null,
    created_at: seenAt,
  };
}
