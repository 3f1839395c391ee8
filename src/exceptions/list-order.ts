import { kindNamed, severities } from '../kinds.ts';
import { money, type Money } from '../money.ts';
import { stakeOf, type FindingColumns } from './exception.ts';

/** Rows in the order in which the database lists exceptions by severity (order.ts), where there is no database to ask. */
export function inListOrder(rows: readonly FindingColumns[]): FindingColumns[] {
  return rows
    .map(placed)
    .toSorted(byPlace)
    .map(({ row }) => row);
}

/** All rows of several parts, each of which is in that order, in that order. It reads each row once, one of each part ahead. */
export function* merged(parts: readonly Iterable<FindingColumns>[]): Generator<FindingColumns> {
  const heads: Head[] = []; // what comes first stands last
  for (const part of parts) putNext(heads, part[Symbol.iterator]());
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    yield head.row;
    putNext(heads, head.rest);
  }
}

interface Placed {
  row: FindingColumns;
  rank: number;
  amount: Money;
  /** In UTF-8, whose bytes are in the order of the code points. */
  fingerprint: Buffer;
}

interface Head extends Placed {
  rest: Iterator<FindingColumns>;
}

/** Puts the next row of a part where it belongs among the heads. */
function putNext(heads: Head[], rest: Iterator<FindingColumns>): void {
  const next = rest.next();
  if (next.done === true) return;
  const head = { ...placed(next.value), rest };
  let [low, high] = [0, heads.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const other = heads[middle];
    if (other !== undefined && byPlace(other, head) > 0) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}

function placed(row: FindingColumns): Placed {
  return {
    row,
    rank: severities.indexOf(row.severity),
    amount: amountOf(row),
    fingerprint: Buffer.from(row.fingerprint),
  };
}

/** As in a list (filter.ts): what has none comes last. */
function amountOf({ kind, difference, metadata }: FindingColumns): Money {
  if (kindNamed(kind).unit === 'count') return none;
  if (difference !== null) return money(difference).abs();
  const stake = stakeOf(metadata);
  return stake === undefined ? none : money(stake);
}

const none = money('-1');

function byPlace(left: Placed, right: Placed): number {
  return (
    right.rank - left.rank ||
    largerFirst(left.amount, right.amount) ||
    Buffer.compare(left.fingerprint, right.fingerprint)
  );
}

/** PostgreSQL takes NaN for larger than anything. */
function largerFirst(left: Money, right: Money): number {
  if (left.isNaN() || right.isNaN()) return Number(right.isNaN()) - Number(left.isNaN());
  return right.comparedTo(left);
}
