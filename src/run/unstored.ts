import { stakeOf, type FindingColumns, type StoredException } from '../exceptions/exception.ts';
import { Incomplete } from '../incomplete.ts';
import { kindNamed, severities } from '../kinds.ts';
import { money, type Money } from '../money.ts';
import type { CheckOutcome } from './outcome.ts';

/** What a dry run found: the rows that would be stored, without the ids that they would get, in the order of a list. */
export function* unstoredExceptions(
  outcomes: readonly CheckOutcome[],
  seenAt: string,
  limit = Infinity,
): Generator<StoredException> {
  let given = 0;
  for (const row of mostSevereFirst(outcomes)) {
    if (given === limit) return;
    given += 1;
    yield toUnstored(row, seenAt);
  }
}

/** By severity, then by amount, then by fingerprint, which begins with the name of the check (exceptions/order.ts). */
function* mostSevereFirst(outcomes: readonly CheckOutcome[]): Generator<FindingColumns> {
  const found = outcomes
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap(({ result }) => (result instanceof Incomplete ? [] : [result.findings]));
  for (const severity of severities.toReversed())
    yield* largestFirst(function* () {
      for (const findings of found)
        for (const batch of findings.batches(severity)) yield* JSON.parse(batch) as FindingColumns[];
    });
}

/** So many rows are in memory at once, beside the amounts of all of them: each part is a pass over what is kept. */
const rowsAtOnce = 20_000;

/** The rows by their amounts, the largest first; those of one amount as they come. */
export function* largestFirst(rows: () => Iterable<FindingColumns>, atOnce = rowsAtOnce): Generator<FindingColumns> {
  const sorted = Array.from(rows(), (row, place) => ({ place, amount: amountOf(row) })).sort(byAmount);
  for (let start = 0; start < sorted.length; start += atOnce) {
    const rankOf = new Map(sorted.slice(start, start + atOnce).map(({ place }, rank) => [place, rank]));
    const part: FindingColumns[] = [];
    let place = 0;
    for (const row of rows()) {
      const rank = rankOf.get(place++);
      if (rank !== undefined) part[rank] = row;
    }
    yield* part;
  }
}

/** As in a list (exceptions/filter.ts): what has none comes last. */
function amountOf({ kind, difference, metadata }: FindingColumns): Money {
  if (kindNamed(kind).unit === 'count') return none;
  if (difference !== null) return money(difference).abs();
  const stake = stakeOf(metadata);
  return stake === undefined ? none : money(stake);
}

const none = money('-1');

/** PostgreSQL takes NaN for larger than anything. */
function byAmount({ amount: left }: { amount: Money }, { amount: right }: { amount: Money }): number {
  if (left.isNaN() || right.isNaN()) return Number(right.isNaN()) - Number(left.isNaN());
  return right.comparedTo(left);
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
