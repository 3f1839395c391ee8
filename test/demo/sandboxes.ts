import { startAlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { startCircleSandbox } from '../support/circle-sandbox.ts';
import type { Filled } from './fill.ts';

const circleKey = 'LIVE_API_KEY:demo:demo';
const alpacaKeys = { key: 'demo-key', secret: 'demo-secret' };

/** Runs `body` beside a Circle and an Alpaca that hold this, with the settings that lead `recon` to them. */
export async function withSandboxes<T>(
  { circle, alpaca }: Pick<Filled, 'circle' | 'alpaca'>,
  body: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const wallets = await startCircleSandbox({ apiKey: circleKey, ...circle, rateLimit: undefined });
  const broker = await startAlpacaSandbox({ ...alpacaKeys, ...alpaca, rateLimit: undefined });
  try {
    return await body({
      CIRCLE_BASE_URL: wallets.url,
      CIRCLE_API_KEY: circleKey,
      CIRCLE_REQUESTS_PER_SECOND: '1000',
      ALPACA_BASE_URL: broker.url,
      ALPACA_API_KEY: alpacaKeys.key,
      ALPACA_API_SECRET: alpacaKeys.secret,
      ALPACA_REQUESTS_PER_SECOND: '1000',
    });
  } finally {
    await Promise.all([wallets.close(), broker.close()]);
  }
}
