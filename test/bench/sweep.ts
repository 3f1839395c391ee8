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
  /** The most memory that this process held until then, in bytes: client and sandboxes together. */
  peak_memory: number;
}

interface SweepOptions {
  /** So many wallets and so many accounts. */
  holdings: number;
  /** Requests a second to each; undefined: the default of each. */
  rate: number | undefined;
  say: (text: string) => void;
}

/** On several chains: each can only be followed page by page. */
const chains = ['ETH', 'BASE', 'ARB', 'OP', 'MATIC'];

/**
 * Reads the wallets and the accounts from the sandboxes, one custodian after the other. The sandboxes answer at once and
 * allow twice the rate, as the custodians do: what is measured is our own pace.
 */
export async function measureSweeps({ holdings, rate, say }: SweepOptions): Promise<SweepFigures[]> {
  const rates = { Circle: rate ?? 10, Alpaca: rate ?? 8 };
  const twice = (requestsPerSecond: number) => ({ requests: 2 * requestsPerSecond, windowMs: 1000 });
  const circle = await startCircleSandbox({
    apiKey: 'LIVE_API_KEY:bench:bench',
    wallets: walletsFor(holdings),
    rateLimit: twice(rates.Circle),
  });
  const alpaca = await startAlpacaSandbox({
    key: 'bench',
    secret: 'bench',
    accounts: accountsFor(holdings),
    rateLimit: twice(rates.Alpaca),
  });
  const usual = { exclude: new Set<string>(), requestTimeoutMs: 30_000 };
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
    peak_memory: process.resourceUsage().maxRSS * 1024,
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
    const pace = `${(took / 1000).toFixed(1)} s: ${(took / allowed).toFixed(3)} x what the rate allows`;
    const memory = `${Math.round(figure.peak_memory / 2 ** 20)} MiB with the sandboxes`;
    return `${custodian}: ${holdings} holdings, ${requests} requests at ${rate}/s, ${pace}, ${memory}`;
  });
  return `${lines.join('\n')}\n`;
}
