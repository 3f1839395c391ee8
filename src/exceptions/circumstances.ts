import { describeAge } from '../duration.ts';
import type { Cause } from './causes.ts';
import { subjectOf, type StoredException } from './exception.ts';
import type { Involved, InvolvedRecord } from './involved.ts';

type Known = Pick<Involved, 'records' | 'entries'>;

/** What explains an exception without any arithmetic: how what is involved stands now, and when. `graceMs`: of clocks. */
export function circumstancesOf(exception: StoredException, involved: Known, graceMs: number): Cause[] {
  return [
    ...namedAlready(exception, involved),
    ...notMarkedReversed(exception),
    ...futureTimes(exception, involved, graceMs),
  ];
}

/** Whoever posts such a record again posts it beside what names it: after that it is wrong by twice as much. */
function namedAlready({ kind, affected_entity: subject }: StoredException, { entries }: Known): Cause[] {
  const { type, id } = subjectOf(subject);
  if (kind !== 'missing_in_ledger') return [];
  const naming = entries.filter(
    ({ reference_id: named, record_kind: names, status }) =>
      named === id && names === type && status !== 'failed' && status !== 'pending',
  );
  return [...new Set(naming.map(({ transaction_id: transaction }) => transaction ?? ''))].map((transaction) => ({
    cause: 'named_already',
    sentence: `Transaction ${transaction} names it already, but with no entry that counts for it: posted the wrong way round, or to no user? Reverse that one before it is posted.`,
    evidence: [`transaction:${transaction}`],
  }));
}

/** An original that is not `reversed` is reported only where a completed reversal of it stands. */
function notMarkedReversed({ kind, metadata }: StoredException): Cause[] {
  const { status, reversals } = metadata;
  if (kind !== 'broken_reversal' || status === 'reversed' || !Array.isArray(reversals)) return [];
  const ids = reversals.map(String);
  return [
    {
      cause: 'not_marked_reversed',
      sentence: `Its status is ${String(status)}, not reversed, though ${ids.join(' and ')} takes it back: the status of the original was never changed.`,
      evidence: ids.map((id) => `transaction:${id}`),
    },
  ];
}

/** Against the time at which a run saw it: a record that is settled later may be seen again, one that is made later not. */
function futureTimes(
  { affected_entity: subject, created_at: foundAt, last_seen_at: seenAt }: StoredException,
  { records }: Known,
  graceMs: number,
): Cause[] {
  const own = records.filter((record) => `${record.record_kind}:${record.id}` === subject);
  return own.flatMap((record) => {
    const ahead = Math.max(msAfter(foundAt, record.created_at), msAfter(seenAt, settlementOf(record)));
    if (!(ahead > graceMs)) return [];
    return [
      {
        cause: 'future_time',
        sentence: `Its time lay in the future when a run saw it (${describeAge(-ahead)}): local time written as UTC?`,
        evidence: [subject ?? ''],
      },
    ];
  });
}

function settlementOf({ state, settled_at: settledAt }: InvolvedRecord): string | null {
  return state === 'settled' ? settledAt : null;
}

/** How long after the one time the other is; never, where there is none. */
function msAfter(from: string, time: string | null): number {
  return time === null ? -Infinity : Date.parse(time) - Date.parse(from);
}
