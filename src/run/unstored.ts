import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FindingColumns, StoredException } from '../exceptions/exception.ts';
import { merged } from '../exceptions/list-order.ts';
import { Incomplete } from '../incomplete.ts';
import type { CheckOutcome } from './outcome.ts';

/** After so many rows others get a turn: a stream that takes all at once lets nobody else. */
const rowsPerTurn = 1_000;

/** What a dry run found: the rows that would be stored, without the ids that they would get, in the order of a list. */
export async function* unstoredExceptions(
  outcomes: readonly CheckOutcome[],
  seenAt: string,
  limit = Infinity,
): AsyncGenerator<StoredException> {
  const found = outcomes.flatMap(({ result }) => (result instanceof Incomplete ? [] : [result.findings]));
  const parts = (await Promise.all(found.map((findings) => findings.sortedParts()))).flat();
  let given = 0;
  for (const row of merged(parts)) {
    if (given === limit) return;
    given += 1;
    if (given % rowsPerTurn === 0) await nextTurn();
    yield toUnstored(row, seenAt);
  }
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
