import { quote } from '../custodians/answers.ts';
import type { Movement } from '../custodians/custodian.ts';
import { sum, toText, zero, type Money } from '../money.ts';
import type { BooksMovement, CustodyBooks } from './custody-books.ts';

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
}

/**
 * What is under way, item by item, with the part of the difference (what the custodian holds, minus what the books say)
 * that each explains. An item explains what it is worth if one side has it and the other has not, whatever the
 * difference is: nothing is picked to make a sum come out. Each movement of the custodian is paired with at most one of
 * the books that is worth as much, belongs to the same user as far as both say whose they are, and is as old within an
 * hour as far as both say when.
 */
export function inFlightOf(movements: Iterable<Movement>, books: CustodyBooks): InFlight[] {
  const custodian = [...movements].filter(({ booked, underWay, amount }) => (booked || underWay) && !amount?.isZero());
  const twins = pair(custodian, books);
  const paired = new Set(twins.values());
  return [
    ...custodian.filter(({ underWay }) => underWay).map((movement) => atCustodian(movement, twins.has(movement))),
    ...books.movements
      .filter((movement) => movement.pending && !paired.has(movement))
      .map((movement) => inBooks(movement)),
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

function atCustodian({ of, id, externalId, state, amount, booked }: Movement, inBooks: boolean): InFlight {
  const worth = amount ?? zero;
  const explains = booked === inBooks || booked === undefined ? zero : booked ? worth : worth.negated();
  return { of, id, externalId, state, amount: amount ?? null, explains };
}

/** The books have it, and there is nothing of it at the custodian: it was not asked yet. */
function inBooks({ transactionId, amount, recent }: BooksMovement): InFlight {
  const explains = recent ? amount.negated() : zero;
  return { of: 'ledger_transaction', id: transactionId, externalId: null, state: 'pending', amount, explains };
}

/**
 * Final ones choose first: of two alike in the books, one is theirs. What is booked prefers a completed twin, what is
 * not a pending one: so nothing that is at its end on both sides stands in for something that is not.
 */
function pair(custodian: readonly Movement[], books: CustodyBooks): Map<Movement, BooksMovement> {
  const alike = byAmount(books.movements);
  const twins = new Map<Movement, BooksMovement>();
  for (const movement of custodian.toSorted(finalFirst)) {
    if (movement.amount === undefined) continue;
    const twin = twinOf(movement, alike.get(toText(movement.amount)) ?? [], books);
    if (twin === undefined) continue;
    twins.set(movement, twin.movement);
    twin.taken = true;
  }
  return twins;
}

interface Candidate {
  movement: BooksMovement;
  /** Milliseconds since 1970. */
  at: number;
  taken: boolean;
}

/** Those that are worth as much, in the order of their times: a busy firm has thousands of each. */
function byAmount(movements: readonly BooksMovement[]): Map<string, Candidate[]> {
  const alike = new Map<string, Candidate[]>();
  for (const movement of movements) {
    const worth = toText(movement.amount);
    const candidate = { movement, at: Date.parse(movement.createdAt), taken: false };
    const others = alike.get(worth);
    if (others === undefined) alike.set(worth, [candidate]);
    else others.push(candidate);
  }
  for (const candidates of alike.values()) candidates.sort((left, right) => left.at - right.at);
  return alike;
}

function twinOf(movement: Movement, candidates: readonly Candidate[], { owners }: CustodyBooks): Candidate | undefined {
  const owner = owners.get(movement.externalId) ?? null;
  let second: Candidate | undefined;
  for (const candidate of asOld(movement, candidates)) {
    const { taken, movement: other } = candidate;
    if (taken || (owner !== null && other.userId !== null && owner !== other.userId)) continue;
    if (other.pending !== movement.booked) return candidate;
    second ??= candidate;
  }
  return second;
}

const hourMs = 3_600_000;

/** The candidates that are as old within an hour; all of them where nobody says how old it is. */
function* asOld({ createdAt }: Movement, candidates: readonly Candidate[]): Generator<Candidate> {
  const at = createdAt === undefined ? undefined : Date.parse(createdAt);
  const [from, to] = at === undefined ? [-Infinity, Infinity] : [at - hourMs, at + hourMs];
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candidates[middle]?.at ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  for (let index = low; index < candidates.length; index += 1) {
    const candidate = candidates[index];
    if (candidate === undefined || !(candidate.at <= to)) return;
    yield candidate;
  }
}

function finalFirst(left: Movement, right: Movement): number {
  if (left.underWay !== right.underWay) return left.underWay ? 1 : -1;
  const [leftAge, rightAge] = [`${left.createdAt ?? ''} ${left.id}`, `${right.createdAt ?? ''} ${right.id}`];
  return leftAge < rightAge ? -1 : 1;
}

function largestFirst(left: InFlight, right: InFlight): number {
  return (
    right.explains.abs().comparedTo(left.explains.abs()) ||
    (right.amount ?? zero).abs().comparedTo((left.amount ?? zero).abs()) ||
    (left.id < right.id ? -1 : 1)
  );
}
