import type { Money } from '../money.ts';
import type { World } from '../world.ts';

/** Somebody else who holds our money, as a check asks for it. What cannot be told whole is thrown as `Incomplete`. */
export interface Custodian {
  /** Everything that it holds for us. */
  sweep(world: CustodianWorld, progress: Progress): Promise<CustodianReading>;
  /** Some wallets or accounts of an earlier reading once more, each asked for directly. */
  reread(holdings: readonly Holding[], world: CustodianWorld, progress: Progress): Promise<Holding[]>;
  /**
   * What moved lately and what is under way. `since` comes from an earlier look: then nothing that came after that one
   * is missing. `about` are holdings whose own listings are asked too, where there is none for all of them.
   */
  look(world: CustodianWorld, since: string | undefined, about: readonly string[]): Promise<Look>;
  /** What came to its end and was created between `from` and the reach of a look (both RFC 3339). */
  past(world: CustodianWorld, from: string, reach: string): Promise<Movement[]>;
}

/** One complete reading of everything that a custodian holds for us. Incomplete readings are thrown, not returned. */
export interface CustodianReading {
  /** `USDC` at Circle, `USD` at Alpaca. */
  currency: 'USDC' | 'USD';
  /** Sum of `holdings`, exact. */
  total: Money;
  /** One for every wallet or account that was read and not excluded, also those that hold nothing. */
  holdings: Holding[];
  /** This machine's clock, before the first request and after the last answer. */
  startedAt: Date;
  endedAt: Date;
  /** What the check stores in its metadata: snake_case, JSON, amounts as strings; no personal data, no secret. */
  details: Record<string, unknown>;
}

/** A reading whose cut is still open: what may have moved meanwhile is asked when the books have been read too. */
export interface BegunReading extends CustodianReading {
  custodian: Custodian;
  /** Taken before the first request of the reading. */
  look: Look;
}

export interface Holding {
  /** The custodian's own id: a Circle wallet id, an Alpaca account id. */
  externalId: string;
  amount: Money;
  /** Circle's code of the chain; absent at Alpaca. */
  blockchain?: string;
  /** When the custodian says that the amount was brought up to date, its own text; undefined where it does not say. */
  updatedAt?: string | undefined;
}

/** Everything that a look showed, by `keyOf`. */
export interface Look {
  movements: ReadonlyMap<string, Movement>;
  /** How far back it goes, in the custodian's own time: for the looks after it. */
  since: string;
  /** Nothing that was created from then on, by the custodian's clock, is missing (RFC 3339). */
  reach: string;
}

/** Money that was, is or will be on its way into a holding or out of it. */
export interface Movement {
  of: 'transaction' | 'journal' | 'transfer' | 'activity';
  /** The custodian's own id. */
  id: string;
  /** The holding that it changes. */
  externalId: string;
  /** What it adds to the holding, negative if it takes away; undefined where the custodian does not say. */
  amount: Money | undefined;
  /** The custodian's own word. */
  state: string;
  /** Whether the holding shows it already; undefined for a state that we do not know. */
  booked: boolean | undefined;
  /** Whether the custodian may still change its mind. */
  underWay: boolean;
  /** RFC 3339, by our clock as far as the custodian says what its own does; undefined where it gives a day only. */
  createdAt: string | undefined;
  /** When it came to its end, by the same clock; undefined where it did not, or where nobody says. */
  endedAt: string | undefined;
}

/** Whatever else is told of a movement, this makes it the same one. */
export function keyOf({ of, id, externalId }: Pick<Movement, 'of' | 'id' | 'externalId'>): string {
  return `${of} ${id} ${externalId}`;
}

/** What a custodian's client needs of the world, and who wants to know how asking goes. */
export type CustodianWorld = Pick<World, 'fetch' | 'now' | 'random' | 'signal'> & { asking?: AskingListener };

/** Told how asking goes. None of it is a result. */
export interface AskingListener {
  /** There is a whole answer. */
  answered(): void;
  /** There is none, and it is asked again. */
  retrying(retry: Retry): void;
  /** What we may ask is used up, or nearly: nothing is asked for so long. */
  resting?(forMs: number): void;
  /** All that there is to read is known by its ids; what it holds is not. */
  listed?(externalIds: readonly string[]): void;
}

export interface Retry {
  /** What was asked and what came of it, the beginning of a sentence; without a secret. */
  trouble: string;
  /** The one that comes now, and how many there are at most. */
  attempt: number;
  attemptsMax: number;
}

/** Called after every page or account with the number read so far. */
export type Progress = (read: number) => void;
