import { quote } from '../custodians/answers.ts';
import type { Holding } from '../custodians/custodian.ts';
import { sum, toText, zero, type Money } from '../money.ts';
import type { CustodyView } from './custody-cut.ts';

/** What the books say that is one user's at the custodian, and what the custodian holds in that user's name. */
export interface UserPart {
  userId: string;
  expected: Money;
  actual: Money;
  holdings: Holding[];
}

/** The users whose part does not agree, largest difference first. None where the books name only the whole. */
export function usersThatDisagree({ books, holdings }: CustodyView): UserPart[] {
  const parts = new Map<string, UserPart>();
  for (const [userId, expected] of books.users) parts.set(userId, { userId, expected, actual: zero, holdings: [] });
  for (const holding of holdings.values()) {
    const part = parts.get(books.owners.get(holding.externalId) ?? '');
    part?.holdings.push(holding);
    if (part) part.actual = part.actual.plus(holding.amount);
  }
  return [...parts.values()].filter((part) => !differenceOf(part).isZero()).toSorted(largestFirst);
}

function differenceOf({ expected, actual }: UserPart): Money {
  return actual.minus(expected);
}

function largestFirst(left: UserPart, right: UserPart): number {
  return differenceOf(right).abs().comparedTo(differenceOf(left).abs()) || (left.userId < right.userId ? -1 : 1);
}

/**
 * What has to be read again, and asked for its own movements, before a mismatch is believed: of the users that disagree,
 * those with the largest differences, until the rest together is less than the `excess` over the tolerance and could not
 * hide it, nor is beyond the tolerance by itself; and what belongs to no user of the books. Undefined, for everything,
 * where the books name only the whole.
 */
export function suspectsIn(view: CustodyView, excess: Money, tolerance: Money): Holding[] | undefined {
  if (view.books.users.size === 0) return undefined;
  const parts = usersThatDisagree(view);
  let rest = sum(parts.map((part) => differenceOf(part).abs()));
  const suspects = [...view.holdings.values()].filter(
    ({ externalId, amount }) => !isOfUser(view, externalId) && !amount.isZero(),
  );
  for (const part of parts) {
    if (rest.lessThan(excess) && rest.lessThanOrEqualTo(tolerance)) break;
    suspects.push(...part.holdings);
    rest = rest.minus(differenceOf(part).abs());
  }
  return suspects;
}

function isOfUser({ books }: CustodyView, externalId: string): boolean {
  return books.users.has(books.owners.get(externalId) ?? '');
}

/** How many users, and how many holdings without one, are listed one by one; the sums count them all. */
const listedMax = 50;

/** For the metadata. */
export function describeUsers(parts: readonly UserPart[], { books }: CustodyView): Record<string, unknown> {
  if (books.users.size === 0) return { known: false };
  return {
    known: true,
    disagree: parts.length,
    difference: toText(sum(parts.map(differenceOf))),
    largest: parts.slice(0, listedMax).map((part) => ({
      user_id: part.userId,
      expected: toText(part.expected),
      actual: toText(part.actual),
      difference: toText(differenceOf(part)),
      external_ids: part.holdings.map(({ externalId }) => quote(externalId)),
    })),
  };
}

/** Users of whom the books say that the custodian holds something, and who have no account of their own there. */
export interface Accountless {
  count: number;
  /** Of all of them, each without its sign. */
  amount: string;
  currency: string;
  largest: { user_id: string; expected: string }[];
}

/** For the metadata. */
export function describeAccountless({ books, reading }: CustodyView): Accountless {
  const owners = new Set(books.owners.values());
  const without = [...books.users].filter(([userId, expected]) => !owners.has(userId) && !expected.isZero());
  const largest = without.toSorted(([, left], [, right]) => right.abs().comparedTo(left.abs()));
  return {
    count: without.length,
    amount: toText(sum(without.map(([, expected]) => expected.abs()))),
    currency: reading.currency,
    largest: largest.slice(0, listedMax).map(([userId, expected]) => ({ user_id: userId, expected: toText(expected) })),
  };
}

/** What the books know as theirs and the custodian does not list, though nobody left it out. */
export function unlistedIn({ books, holdings }: CustodyView, exclude: ReadonlySet<string>): string[] {
  return [...books.owners.keys()].filter((id) => !holdings.has(id) && !exclude.has(id));
}

/** For the metadata. */
export function describeUnlisted(ids: readonly string[]): Record<string, unknown> {
  return { count: ids.length, first: ids.slice(0, listedMax).map((id) => quote(id)) };
}

/** For the metadata: what is held for nobody that the books know. */
export function describeOwners({ books, holdings }: CustodyView): Record<string, unknown> {
  const unowned = [...holdings.values()].filter(
    ({ externalId, amount }) => !books.owners.has(externalId) && !amount.isZero(),
  );
  const largest = unowned.toSorted((left, right) => right.amount.abs().comparedTo(left.amount.abs()));
  return {
    count: unowned.length,
    amount: toText(sum(unowned.map(({ amount }) => amount))),
    largest: largest
      .slice(0, listedMax)
      .map(({ externalId, amount }) => ({ external_id: externalId, amount: toText(amount) })),
  };
}
