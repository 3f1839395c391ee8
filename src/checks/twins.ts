import type { Movement } from '../custodians/custodian.ts';
import { toText } from '../money.ts';
import type { BooksMovement, CustodyBooks } from './custody-books.ts';

/** How far apart the two sides may tell of the same money. */
export interface Apart {
  graceMs: number;
  /** As long as one of them is not at its end: whoever pays out may have to be asked first. */
  deadlineMs: number;
  /** The custodian was asked for everything that is not older (RFC 3339): what is missing there is missing. */
  reach: string;
}

/** Where both are at their end, they are no further apart than that. */
const endedMs = 3_600_000;

/**
 * Pairs each movement of the custodian with at most one of the books that is worth as much and belongs to the same user,
 * as far as both say whose they are: the nearest in time. Final ones choose first, and among what is completed before
 * what is pending: so nothing that is at its end on both sides stands in for something that is not.
 */
export function twinsOf(
  custodian: readonly Movement[],
  { movements, owners }: CustodyBooks,
  { graceMs, deadlineMs, reach }: Apart,
): Map<Movement, BooksMovement> {
  const alike = byAmount(movements);
  const twins = new Map<Movement, BooksMovement>();
  for (const { choosing, completedOnly } of inTurn(custodian))
    // Those that are close together first, or one that has no twin would take its neighbour's.
    for (const apartMs of [graceMs, endedMs, deadlineMs])
      for (const movement of choosing) {
        if (movement.amount === undefined || twins.has(movement)) continue;
        const candidates = alike.get(toText(movement.amount)) ?? [];
        const owner = owners.get(movement.externalId) ?? null;
        const twin = twinAmong(candidates, movement, { owner, apartMs, completedOnly, reachAt: Date.parse(reach) });
        if (twin === undefined) continue;
        twins.set(movement, twin.movement);
        candidates.splice(candidates.indexOf(twin), 1);
      }
  return twins;
}

interface Turn {
  choosing: Movement[];
  /** Not among what is pending in the books. */
  completedOnly: boolean;
}

/** Final ones, those of which nobody says when they were after the others; then what is under way. Each oldest first. */
function inTurn(custodian: readonly Movement[]): Turn[] {
  const oldestFirst = custodian.toSorted(byAge);
  const final = oldestFirst.filter(({ underWay }) => !underWay);
  const timed = final.filter(({ createdAt }) => createdAt !== undefined);
  return [
    { choosing: timed, completedOnly: true },
    { choosing: timed, completedOnly: false },
    { choosing: final.filter(({ createdAt }) => createdAt === undefined), completedOnly: false },
    { choosing: oldestFirst.filter(({ underWay }) => underWay), completedOnly: false },
  ];
}

interface Candidate {
  movement: BooksMovement;
  /** Milliseconds since 1970. */
  at: number;
}

/** Those that are worth as much, in the order of their times: a busy firm has thousands of each. */
function byAmount(movements: readonly BooksMovement[]): Map<string, Candidate[]> {
  const alike = new Map<string, Candidate[]>();
  for (const movement of movements) {
    const worth = toText(movement.amount);
    const candidate = { movement, at: Date.parse(movement.createdAt) };
    const others = alike.get(worth);
    if (others === undefined) alike.set(worth, [candidate]);
    else others.push(candidate);
  }
  for (const candidates of alike.values()) candidates.sort((left, right) => left.at - right.at);
  return alike;
}

interface Wanted extends Pick<Turn, 'completedOnly'> {
  owner: string | null;
  apartMs: number;
  reachAt: number;
}

function twinAmong(candidates: readonly Candidate[], movement: Movement, wanted: Wanted): Candidate | undefined {
  let second: Candidate | undefined;
  for (const candidate of nearestFirst(candidates, movement, wanted.apartMs)) {
    if (!mayBeTwins(movement, candidate, wanted)) continue;
    if (candidate.movement.pending !== movement.booked) return candidate;
    second ??= candidate;
  }
  return second;
}

/**
 * Of what is completed and older than the custodian was asked for, the twin may be at its end there and out of sight:
 * something under way is not taken for it, unless they are close together.
 */
function mayBeTwins({ createdAt, underWay }: Movement, { movement: other, at }: Candidate, wanted: Wanted): boolean {
  const { owner, completedOnly, reachAt } = wanted;
  if (owner !== null && other.userId !== null && owner !== other.userId) return false;
  if (other.pending) return !completedOnly;
  if (createdAt === undefined || (underWay && at >= reachAt)) return true;
  return Math.abs(at - Date.parse(createdAt)) <= endedMs;
}

/** The candidates within `apartMs` of the movement; where nobody says when it was, all of them, the newest first. */
function* nearestFirst(
  candidates: readonly Candidate[],
  { createdAt }: Movement,
  apartMs: number,
): Generator<Candidate> {
  const at = createdAt === undefined ? undefined : Date.parse(createdAt);
  const distance = (candidate: Candidate | undefined) =>
    candidate === undefined ? Infinity : at === undefined ? 0 : Math.abs(candidate.at - at);
  let right = at === undefined ? candidates.length : firstFrom(candidates, at);
  let left = right - 1;
  for (;;) {
    const [before, after] = [candidates[left], candidates[right]];
    const nearest = distance(before) <= distance(after) ? before : after;
    if (nearest === undefined || distance(nearest) > apartMs) return;
    if (nearest === before) left -= 1;
    else right += 1;
    yield nearest;
  }
}

/** The index of the first that is not older. */
function firstFrom(candidates: readonly Candidate[], at: number): number {
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candidates[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byAge(left: Movement, right: Movement): number {
  const [leftAge, rightAge] = [`${left.createdAt ?? ''} ${left.id}`, `${right.createdAt ?? ''} ${right.id}`];
  return leftAge < rightAge ? -1 : 1;
}
