import { quote } from '../custodians/answers.ts';
import type { Movement } from '../custodians/custodian.ts';
import { within } from '../custodians/moved.ts';
import { sum, toText, zero, type Money } from '../money.ts';
import type { BooksMovement, CustodyBooks } from './custody-books.ts';
import { twinsOf, type Apart } from './twins.ts';

/** Something that one side shows and the other does not yet, or may not. */
export interface InFlight {
  /** `transaction`, `journal`, `transfer` of the custodian, or `ledger_transaction`. */
  of: string;
  id: string;
  /** The wallet or account; null for a transaction of the ledger. */
  externalId: string | null;
  state: string;
  /** What it changes; null where nobody says. */
  amount: Money | null;
  /** How much of the difference it is; zero if both sides show it, or neither does. */
  explains: Money;
  /** At its end on one side, so lately that the other may not know of it yet. */
  awaited: boolean;
}

/** What tells something that is on its way from something that is missing. */
export interface Patience extends Apart {
  /** The moment of the books (RFC 3339). */
  asOf: string;
}

/**
 * What is under way, item by item, with the part of the difference (what the custodian holds, minus what the books say)
 * that each explains. An item explains what it is worth if one side has it and the other has not, whatever the
 * difference is: nothing is picked to make a sum come out. `twinsOf` says what of both sides is one event.
 */
export function inFlightOf(movements: Iterable<Movement>, books: CustodyBooks, patience: Patience): InFlight[] {
  const custodian = [...movements].filter(({ booked, underWay, amount }) => (booked || underWay) && !amount?.isZero());
  const stuck = new Set(custodian.filter((movement) => isStuck(movement, patience)));
  const twins = twinsOf(
    custodian.filter((movement) => !stuck.has(movement)),
    books,
    patience,
  );
  const paired = new Set(twins.values());
  const { asOf, graceMs } = patience;
  return [
    ...custodian
      .filter(({ underWay }) => underWay)
      .map((movement) => ({
        ...atCustodian(movement, twins.has(movement)),
        ...(stuck.has(movement) && { explains: zero }),
      })),
    ...custodian
      .filter((movement) => !movement.underWay && !twins.has(movement) && within(movement.endedAt, asOf, graceMs))
      .map((movement) => ({ ...atCustodian(movement, false), awaited: true })),
    ...books.movements
      .filter((movement) => !paired.has(movement))
      .filter(({ pending, createdAt }) => pending || within(createdAt, asOf, graceMs))
      .map((movement) => inBooks(movement, patience)),
  ].toSorted(largestFirst);
}

/** How many items are listed one by one; the sums count them all. */
const listedMax = 50;

/** For the metadata: amounts at full precision. */
export function describeInFlight(items: readonly InFlight[]): Record<string, unknown> {
  return {
    count: items.length,
    explains: toText(explainedBy(items)),
    items: items.slice(0, listedMax).map(({ of, id, externalId, state, amount, explains }) => ({
      of,
      id: quote(id),
      ...(externalId !== null && { external_id: quote(externalId) }),
      state: quote(state, 40),
      amount: amount && toText(amount),
      explains: toText(explains),
    })),
  };
}

/** The sum of what the items explain. */
export function explainedBy(items: readonly InFlight[]): Money {
  return sum(items.map(({ explains }) => explains));
}

/**
 * Under way for longer than anything may take, or since a time that is further ahead than clocks differ: if it explained
 * its part, a loss could hide behind it for ever.
 */
function isStuck({ underWay, createdAt }: Movement, { asOf, deadlineMs, graceMs }: Patience): boolean {
  const ageMs = Date.parse(asOf) - Date.parse(createdAt ?? '');
  return underWay && (ageMs > deadlineMs || ageMs < -graceMs);
}

function atCustodian({ of, id, externalId, state, amount, booked }: Movement, inBooks: boolean): InFlight {
  const worth = amount ?? zero;
  const explains = booked === inBooks || booked === undefined ? zero : booked ? worth : worth.negated();
  return { of, id, externalId, state, amount: amount ?? null, explains, awaited: false };
}

/** The books have it, and there is nothing of it at the custodian: it was not asked yet, or has not done it yet. */
function inBooks({ transactionId, amount, pending, createdAt }: BooksMovement, { reach }: Patience): InFlight {
  const explains = Date.parse(createdAt) >= Date.parse(reach) ? amount.negated() : zero;
  const state = pending ? 'pending' : 'completed';
  return { of: 'ledger_transaction', id: transactionId, externalId: null, state, amount, explains, awaited: !pending };
}

function largestFirst(left: InFlight, right: InFlight): number {
  return (
    right.explains.abs().comparedTo(left.explains.abs()) ||
    (right.amount ?? zero).abs().comparedTo((left.amount ?? zero).abs()) ||
    (left.id < right.id ? -1 : 1)
  );
}
