import { onTestFinished } from 'vitest';
import { startAlpacaSandbox, type AlpacaSandbox } from './alpaca-sandbox.ts';
import { startCircleSandbox, type CircleSandbox } from './circle-sandbox.ts';
import type { User } from './ledger.ts';
import { cutAt } from './run-check.ts';

export interface Custodians {
  circle: CircleSandbox;
  alpaca: AlpacaSandbox;
  /** Leads a run to both, with the right keys and without waiting between requests. */
  env: Record<string, string>;
}

export const circleKey = 'TEST_API_KEY:canary-circle-id-0001:canary-circle-secret-0001';
export const alpacaKey = 'CANARYALPACAKEY';
export const alpacaSecret = 'canary-alpaca-secret-0001';

/**
 * Both custodians, each with the wallet or account of that user, until the test is over. A test that runs beside others
 * has an `onTestFinished` of its own.
 */
export async function startCustodians(
  user: User,
  holdings: { usdc: string; cash: string },
  now = () => cutAt,
  onFinished = onTestFinished,
): Promise<Custodians> {
  const { close, ...custodians } = await openCustodians(now);
  onFinished(close);
  custodians.circle.add({ id: user.walletId, blockchain: 'BASE-SEPOLIA', usdc: holdings.usdc });
  custodians.alpaca.add({ id: user.alpacaAccountId, cash: holdings.cash });
  return custodians;
}

/** Both custodians, with nothing in them. */
export async function openCustodians(now: () => Date): Promise<Custodians & { close: () => Promise<void> }> {
  const circle = await startCircleSandbox({ apiKey: circleKey, rateLimit: undefined, now, wallets: [] });
  const alpaca = await startAlpacaSandbox({
    key: alpacaKey,
    secret: alpacaSecret,
    rateLimit: undefined,
    now,
    accounts: [],
  });
  return {
    circle,
    alpaca,
    env: {
      RECONCILIATION_CHECKS: '',
      CIRCLE_BASE_URL: circle.url,
      CIRCLE_API_KEY: circleKey,
      CIRCLE_REQUESTS_PER_SECOND: '1000',
      ALPACA_BASE_URL: alpaca.url,
      ALPACA_API_KEY: alpacaKey,
      ALPACA_API_SECRET: alpacaSecret,
      ALPACA_REQUESTS_PER_SECOND: '1000',
    },
    close: async () => {
      await circle.close();
      await alpaca.close();
    },
  };
}
