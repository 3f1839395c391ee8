import type { Money } from '../money.ts';
import type { World } from '../world.ts';

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

export interface Holding {
  /** The custodian's own id: a Circle wallet id, an Alpaca account id. */
  externalId: string;
  amount: Money;
}

/** What a custodian's client needs of the world. */
export type CustodianWorld = Pick<World, 'fetch' | 'now' | 'random' | 'signal'>;

/** Called after every page or account with the number read so far. */
export type Progress = (read: number) => void;
