import nodeFetch from 'node-fetch';
import { Incomplete } from '../../src/incomplete.ts';
import type { CustodianReading, CustodianWorld } from '../../src/custodians/custodian.ts';
import { toText } from '../../src/money.ts';

/** The real network, the real clock, and no jitter: back-off waits 0 ms. */
export function custodianWorld(changes: Partial<CustodianWorld> = {}): CustodianWorld {
  return {
    fetch: nodeFetch,
    now: () => new Date(),
    random: () => 0,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** A reading's money as a person would write it down. */
export function amounts({ total, holdings }: CustodianReading): { total: string; holdings: Record<string, string> } {
  return {
    total: toText(total),
    holdings: Object.fromEntries(holdings.map(({ externalId, amount }) => [externalId, toText(amount)])),
  };
}

/**
 * Why a reading proves nothing: what is shown, with `sandbox` for the address of ours, and the exit code. Fails the test if
 * it succeeded or broke in another way.
 */
export async function incompleteness(reading: Promise<unknown>): Promise<{ reason: string; exitCode: number }> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof Incomplete)
      return { reason: error.shown.replaceAll(/(GET|POST) 127\.0\.0\.1:\d+/g, '$1 sandbox'), exitCode: error.exitCode };
    throw error;
  }
  throw new Error('The reading was complete.');
}
