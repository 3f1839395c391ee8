import { openAlpaca } from '../../src/custodians/alpaca.ts';
import { openCircle } from '../../src/custodians/circle.ts';
import type { Custodian, CustodianReading } from '../../src/custodians/custodian.ts';
import { custodianWorld } from '../custodians/custodian-world.ts';
import { startAlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { idFrom, startCircleSandbox } from '../support/circle-sandbox.ts';

/** How long the sweep of one custodian took, against what its rate allows. */
export interface SweepFigures {
  custodian: string;
  holdings: number;
  requests: number;
  requests_per_second: number;
  took_ms: number;
  /** The requests, at the rate. */
  allowed_ms: number;
}

/** On several chains: each can only be followed page by page. */
const chains = ['ETH', 'BASE', 'ARB', 'OP', 'MATIC'];

/**
 * Reads `holdings` wallets and as many accounts from the sandboxes, one custodian after the other, at the rates that are
 * the default. The sandboxes answer at once: what is measured is our own pace.
 */
export async function measureSweeps(holdings: number, say: (text: string) => void): Promise<SweepFigures[]> {
  const circle = await startCircleSandbox({ apiKey: 'LIVE_API_KEY:bench:bench', wallets: walletsFor(holdings) });
  const alpaca = await startAlpacaSandbox({ key: 'bench', secret: 'bench', accounts: accountsFor(holdings) });
  const usual = { exclude: new Set<string>(), requestTimeoutMs: 30_000 };
  const rates = { Circle: 10, Alpaca: 8 };
  const custodians = {
    Circle: openCircle({
      ...usual,
      baseUrl: circle.url,
      apiKey: 'LIVE_API_KEY:bench:bench',
      requestsPerSecond: rates.Circle,
    }),
    Alpaca: openAlpaca({
      ...usual,
      baseUrl: alpaca.url,
      authUrl: undefined,
      apiKey: 'bench',
      apiSecret: 'bench',
      measure: 'auto',
      requestsPerSecond: rates.Alpaca,
    }),
  };
  try {
    const figures: SweepFigures[] = [];
    for (const name of ['Circle', 'Alpaca'] as const) {
      say(`Sweeping ${holdings} holdings at ${name}, ${rates[name]} requests a second …`);
      figures.push(await sweep(name, custodians[name], rates[name]));
    }
    return figures;
  } finally {
    await Promise.all([circle.close(), alpaca.close()]);
  }
}

async function sweep(custodian: string, client: Custodian, rate: number): Promise<SweepFigures> {
  const startedAt = performance.now();
  const { holdings, details }: CustodianReading = await client.sweep(custodianWorld(), () => undefined);
  const requests = Number(details['requests']);
  return {
    custodian,
    holdings: holdings.length,
    requests,
    requests_per_second: rate,
    took_ms: performance.now() - startedAt,
    allowed_ms: (requests / rate) * 1000,
  };
}

function walletsFor(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: idFrom(`wallet ${index}`),
    blockchain: chains[index % chains.length]!,
    usdc: '1.5',
  }));
}

function accountsFor(count: number) {
  return Array.from({ length: count }, (_, index) => ({ id: idFrom(`account ${index}`), cash: '1.5' }));
}

/** One line for each custodian. */
export function sweepText(figures: readonly SweepFigures[]): string {
  const lines = figures.map((figure) => {
    const { custodian, holdings, requests, requests_per_second: rate, took_ms: took, allowed_ms: allowed } = figure;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    return `${custodian}: ${holdings} holdings, ${requests} requests at ${rate}/s, ${seconds(took)}: ${(took / allowed).toFixed(3)} x what the rate allows`;
  });
  return `${lines.join('\n')}\n`;
}
