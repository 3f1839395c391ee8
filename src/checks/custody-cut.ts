import { quote } from '../custodians/answers.ts';
import { keyOf, type BegunReading, type Holding, type Look, type Movement } from '../custodians/custodian.ts';
import { endedBetween, movedBetween, underWayBetween } from '../custodians/moved.ts';
import { Incomplete } from '../incomplete.ts';
import { toText } from '../money.ts';
import type { AfterCut, Cut } from './check.ts';
import type { BooksMovement, CustodyBooks } from './custody-books.ts';

/** Both sides as they are known so far. */
export interface CustodyView {
  reading: BegunReading;
  /** By id: each as it was read last. */
  holdings: ReadonlyMap<string, Holding>;
  /** The last look: before the first reading, and after each snapshot of the books. */
  look: Look;
  /** What moves while the books are read, and what came to its end before. */
  movements: readonly Movement[];
  /** Of that, what no look shows any more. */
  past: readonly Movement[];
  /** Of what is in the books from then on, nothing that the custodian did is missing among the movements (RFC 3339). */
  reach: string;
  books: CustodyBooks;
  times: CutTimes;
  /** How often something was read again. */
  rounds: number;
  /** Whatever moved since the first look, by the wallet or account. */
  moved: ReadonlyMap<string, Movement>;
}

/** By this machine's clock, except that of the books, which is the database's (RFC 3339). */
interface CutTimes {
  readFrom: Date;
  readUntil: Date;
  booksAt: string;
  askedUntil: Date | null;
}

/** What a view says: whether both sides agree, and if not, which holdings to read again before that is believed. */
export interface Doubt {
  agrees: boolean;
  /** Undefined: all. */
  suspects: readonly Holding[] | undefined;
}

/** How both sides were brought to one moment. */
export interface SettledCut {
  view: CustodyView;
  /** The view that did not agree, before the second reading; undefined: the first one agreed. */
  doubted: CustodyView | undefined;
}

/** So often something is read again at most; with less to read each time, so each takes less than the one before. */
const roundsMax = 10;

/** The view of the first snapshot; its cut is still open. */
export function firstView(reading: BegunReading, books: CustodyBooks, booksAt: string): CustodyView {
  return {
    reading,
    holdings: new Map(reading.holdings.map((holding) => [holding.externalId, holding])),
    look: reading.look,
    movements: [...reading.look.movements.values()],
    past: [],
    reach: reachOf(reading.look),
    books,
    times: { readFrom: reading.startedAt, readUntil: reading.endedAt, booksAt, askedUntil: null },
    rounds: 0,
    moved: new Map(),
  };
}

/**
 * Closes the bracket around readings and books: if nothing moved between the look before them and the look after them,
 * all of it describes one moment, that of the snapshot. What moved is read again, and so are the books, until nothing
 * did. If the two sides do not agree then, what disagrees is read once more in the same way and its own movements are
 * asked for, before anybody believes it. Throws `Incomplete` if money moves faster than it can be read.
 */
export async function settleCut(
  first: CustodyView,
  custodian: string,
  doubtOf: (view: CustodyView) => Doubt,
  readBooks: (cut: Cut, look: Look) => Promise<CustodyBooks>,
  after: AfterCut,
): Promise<SettledCut> {
  let view = first;
  let doubted: CustodyView | undefined;
  const asked = new Set<string>();
  for (;;) {
    let [closed, moved] = await lookAgain(view, after, asked);
    let again: readonly Holding[] | undefined = moved;
    if (moved.length === 0) {
      const { agrees, suspects } = doubtOf(closed);
      if (agrees || (doubted !== undefined && isConfirmed(closed, suspects, asked))) return { view: closed, doubted };
      doubted ??= closed;
      for (const { externalId } of suspects ?? closed.holdings.values()) asked.add(externalId);
      [closed, moved] = await lookAgain(await askForThePast(closed, after), after, asked); // before the books: they tell of twins
      again = suspects && [...new Set([...suspects, ...moved])];
    }
    if (closed.rounds >= roundsMax) throw restless(closed, custodian);
    const { look } = closed;
    const read = await readAgain(closed, again, custodian, after);
    view = await after.cut(async (cut) => withBooks(read, await readBooks(cut, look), cut));
  }
}

/** How long before its twin in the books something is at the custodian at most, if it came first; and clocks differ. */
const aheadMs = 3_600_000;

function reachOf({ reach }: Look): string {
  return new Date(Date.parse(reach) + aheadMs).toISOString();
}

/** All that could explain the mismatch was asked for: what disagrees for its own movements, and all for the past. */
function isConfirmed(view: CustodyView, suspects: Doubt['suspects'], asked: ReadonlySet<string>): boolean {
  if (![...(suspects ?? view.holdings.values())].every(isIn(asked))) return false;
  return oldestUnasked(view) === undefined;
}

function isIn(ids: ReadonlySet<string>): (holding: Holding) => boolean {
  return ({ externalId }) => ids.has(externalId);
}

function withBooks(view: CustodyView, books: CustodyBooks, { params }: Cut): CustodyView {
  return { ...view, books, times: { ...view.times, booksAt: params.as_of } };
}

/** What is known after another look, and the holdings that moved since the one before. */
async function lookAgain(
  view: CustodyView,
  { world }: AfterCut,
  about: ReadonlySet<string>,
): Promise<[view: CustodyView, moved: Holding[]]> {
  const look = await view.reading.custodian.look(world, view.look.since, [...about]);
  const past = view.past.filter((movement) => !look.movements.has(keyOf(movement)));
  const movements = [...past, ...underWayBetween(view.look, look)];
  const moved = movedBetween(view.look, look).filter(({ externalId }) => view.holdings.has(externalId));
  const seen = moved.map((movement) => [movement.externalId, movement] as const);
  // what ended out of sight may have done so after the past was asked for
  const reach = endedBetween(view.look, look).length === 0 ? view.reach : reachOf(look);
  const times = { ...view.times, askedUntil: world.now() };
  return [
    { ...view, look, movements, past, reach, times, moved: new Map([...view.moved, ...seen]) },
    [...view.holdings.values()].filter(isIn(new Set(moved.map(({ externalId }) => externalId)))),
  ];
}

/**
 * The oldest in the books that may be the twin of something that came to its end at the custodian before the time that
 * it was asked for: what is pending, and what is worth as much as something under way, which would be taken for it.
 */
function oldestUnasked({ books, movements, reach }: CustodyView): BooksMovement | undefined {
  const underWay = new Set(
    movements.map((movement) => movement.underWay && movement.amount && toText(movement.amount)),
  );
  const oldest = books.movements.find(({ pending, amount }) => pending || underWay.has(toText(amount))); // in their order
  return oldest && Date.parse(oldest.createdAt) < Date.parse(reach) ? oldest : undefined;
}

async function askForThePast(view: CustodyView, { world }: AfterCut): Promise<CustodyView> {
  const oldest = oldestUnasked(view);
  if (oldest === undefined) return view;
  const from = new Date(Date.parse(oldest.createdAt) - aheadMs).toISOString();
  const past = await view.reading.custodian.past(world, from, view.reach);
  const known = new Map([...view.past, ...past].map((movement) => [keyOf(movement), movement]));
  return { ...view, past: [...known.values()], reach: oldest.createdAt };
}

/** Reads `holdings` again, or all of them. */
async function readAgain(
  view: CustodyView,
  holdings: readonly Holding[] | undefined,
  custodian: string,
  { world, progress }: AfterCut,
): Promise<CustodyView> {
  const client = view.reading.custodian;
  const read =
    holdings === undefined
      ? (await client.sweep(world, progress)).holdings
      : await client.reread(holdings, world, progress);
  const byId = new Map(read.map((holding) => [holding.externalId, holding]));
  for (const before of holdings ?? view.holdings.values()) refuseWorse(custodian, before, byId.get(before.externalId));
  return {
    ...view,
    holdings: new Map([...view.holdings, ...byId]),
    times: { ...view.times, readUntil: world.now() },
    rounds: view.rounds + 1,
  };
}

/** A listing that lost something, or an answer out of a cache that lags behind. */
function refuseWorse(custodian: string, before: Holding, again: Holding | undefined): void {
  const isOlder = Date.parse(again?.updatedAt ?? '') < Date.parse(before.updatedAt ?? '');
  if (again !== undefined && !isOlder) return;
  const id = quote(before.externalId);
  const what = again ? `answer about ${id} is older than the first` : `reading leaves out ${id}, which the first had`;
  throw new Incomplete(`${custodian} could not be read: the second ${what}.`);
}

function restless(view: CustodyView, custodian: string): Incomplete {
  const last = [...view.moved.values()].at(-1);
  const why =
    last === undefined
      ? `${custodian} and the books did not agree, and reading again ${roundsMax} times did not confirm that`
      : `Money kept moving at ${custodian} while it was read, and read again ${roundsMax} times: last at ${movedText(last)}${view.moved.size > 1 ? `, before at ${view.moved.size - 1} more` : ''}. The two sides cannot be brought to one moment`;
  return new Incomplete(`${why}; run again when less is going on.`, 3, { details: { cut: describeCut(view, false) } });
}

function movedText({ externalId, of, id }: Movement): string {
  return `${quote(externalId)} (${of} ${quote(id)})`;
}

/** How many of the wallets or accounts that moved are named. */
const namedMax = 50;

/** For the metadata: when each side was read, how far apart, and what moved meanwhile. */
export function describeCut({ times, rounds, moved }: CustodyView, bracketed: boolean): Record<string, unknown> {
  return {
    bracketed,
    read_from: times.readFrom.toISOString(),
    read_until: times.readUntil.toISOString(),
    books_at: times.booksAt,
    asked_until: times.askedUntil?.toISOString() ?? null,
    skew_ms: Math.max(0, Date.parse(times.booksAt) - times.readFrom.getTime()),
    rounds,
    moved: moved.size,
    moved_first: [...moved.values()].slice(0, namedMax).map(({ of, id, externalId, state }) => ({
      of,
      id: quote(id),
      external_id: quote(externalId),
      state: quote(state, 40),
    })),
  };
}
