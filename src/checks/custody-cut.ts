import { quote } from '../custodians/answers.ts';
import type { BegunReading, Holding, Look, Movement } from '../custodians/custodian.ts';
import { movedBetween, underWayBetween } from '../custodians/moved.ts';
import { Incomplete } from '../incomplete.ts';
import type { AfterCut, Cut } from './check.ts';
import type { CustodyBooks } from './custody-books.ts';

/** Both sides as they are known so far. */
export interface CustodyView {
  reading: BegunReading;
  /** By id: each as it was read last. */
  holdings: ReadonlyMap<string, Holding>;
  /** The last look: before the first reading, and after each snapshot of the books. */
  look: Look;
  /** What moves while the books are read. */
  movements: readonly Movement[];
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

/** How many accounts are asked for their transfers: those that disagree most. */
const askedMax = 100;

/** The view of the first snapshot; its cut is still open. */
export function firstView(reading: BegunReading, books: CustodyBooks, booksAt: string): CustodyView {
  return {
    reading,
    holdings: new Map(reading.holdings.map((holding) => [holding.externalId, holding])),
    look: reading.look,
    movements: [...reading.look.movements.values()],
    books,
    times: { readFrom: reading.startedAt, readUntil: reading.endedAt, booksAt, askedUntil: null },
    rounds: 0,
    moved: new Map(),
  };
}

/**
 * Closes the bracket around readings and books: if nothing moved between the look before them and the look after them,
 * all of it describes one moment, that of the snapshot. What moved is read again, and so are the books, until nothing
 * did. If the two sides do not agree then, what disagrees is read once more in the same way, before anybody believes it.
 * Throws `Incomplete` if money moves faster than it can be read.
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
  let about: string[] = [];
  for (;;) {
    const closed = await lookAgain(view, after, about);
    const moved = movedBetween(view.look, closed.look).filter(({ externalId }) => view.holdings.has(externalId));
    view = noteMoved(closed, moved);
    const doubt = doubtOf(view);
    if (moved.length === 0 && (doubt.agrees || doubted !== undefined)) return { view, doubted };
    if (moved.length > 0 && view.rounds >= roundsMax) throw restless(view, custodian, moved);
    if (moved.length === 0) doubted = view;
    const again = moved.length === 0 ? doubt.suspects : holdingsOf(view, moved);
    if (moved.length === 0) about = (again ?? []).slice(0, askedMax).map(({ externalId }) => externalId);
    view = await readAgain(view, again, custodian, after);
    const { look } = view;
    view = await after.cut(async (cut) => withBooks(view, await readBooks(cut, look), cut));
  }
}

function withBooks(view: CustodyView, books: CustodyBooks, { params }: Cut): CustodyView {
  return { ...view, books, times: { ...view.times, booksAt: params.as_of } };
}

async function lookAgain(view: CustodyView, { world }: AfterCut, about: readonly string[]): Promise<CustodyView> {
  const look = await view.reading.custodian.look(world, view.look.since, about);
  const movements = underWayBetween(view.look, look);
  return { ...view, look, movements, times: { ...view.times, askedUntil: world.now() } };
}

function noteMoved(view: CustodyView, moved: readonly Movement[]): CustodyView {
  return {
    ...view,
    moved: new Map([...view.moved, ...moved.map((movement) => [movement.externalId, movement] as const)]),
  };
}

function holdingsOf({ holdings }: CustodyView, moved: readonly Movement[]): Holding[] {
  const ids = new Set(moved.map(({ externalId }) => externalId));
  return [...holdings.values()].filter(({ externalId }) => ids.has(externalId));
}

/** Reads `holdings` again, or all of them. */
async function readAgain(
  view: CustodyView,
  holdings: readonly Holding[] | undefined,
  custodian: string,
  { world }: AfterCut,
): Promise<CustodyView> {
  const client = view.reading.custodian;
  const read =
    holdings === undefined
      ? (await client.sweep(world, () => undefined)).holdings
      : await client.reread(holdings, world);
  const older = read.find((holding) => isOlder(holding, view.holdings.get(holding.externalId)));
  if (older !== undefined)
    throw new Incomplete(
      `${custodian} could not be read: the second answer about ${quote(older.externalId)} is older than the first.`,
    );
  const known = holdings === undefined ? [] : view.holdings;
  return {
    ...view,
    holdings: new Map([...known, ...read.map((holding) => [holding.externalId, holding] as const)]),
    times: { ...view.times, readUntil: world.now() },
    rounds: view.rounds + 1,
  };
}

/** An answer out of a cache that lags behind. */
function isOlder({ updatedAt }: Holding, before: Holding | undefined): boolean {
  return Date.parse(updatedAt ?? '') < Date.parse(before?.updatedAt ?? '');
}

function restless(view: CustodyView, custodian: string, moved: readonly Movement[]): Incomplete {
  const [example] = moved;
  const what = example ? `, for example ${quote(example.externalId)} (${example.of} ${quote(example.id)})` : '';
  return new Incomplete(
    `Money kept moving at ${custodian} while it was read: in ${moved.length} places in the last of ${roundsMax} rounds${what}. The two sides cannot be brought to one moment; run again when less is going on.`,
    3,
    { details: { cut: describeCut(view, false) } },
  );
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
