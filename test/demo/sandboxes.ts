import { startAlpacaSandbox, type AlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { startCircleSandbox, type CircleSandbox } from '../support/circle-sandbox.ts';
import { alpacaFaults } from '../support/alpaca-faults.ts';
import { circleFaults } from '../support/circle-faults.ts';
import { OperatorError } from '../../src/operator-error.ts';
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
  for (const sandbox of [wallets, broker]) sandbox.dateBy(() => new Date());
  try {
    faultChosen()?.(wallets, broker);
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

type Fault = (circle: CircleSandbox, alpaca: AlpacaSandbox) => void;

/**
 * The fault that SANDBOX_FAULT chooses of those that test/support/circle-faults.ts and alpaca-faults.ts list. Throws an
 * OperatorError (64) where there is none of that name.
 */
export function faultChosen(): Fault | undefined {
  const { SANDBOX_FAULT: name } = process.env;
  if (name === undefined) return undefined;
  const [at, fault] = [name.slice(0, name.indexOf(' ')), name.slice(name.indexOf(' ') + 1)];
  if (at === 'circle' && Object.hasOwn(circleFaults, fault))
    return (circle) => {
      circleFaults[fault as keyof typeof circleFaults](circle);
    };
  if (at === 'alpaca' && Object.hasOwn(alpacaFaults, fault))
    return (_, alpaca) => {
      alpacaFaults[fault as keyof typeof alpacaFaults](alpaca);
    };
  throw new OperatorError(64, `SANDBOX_FAULT "${name}" is unknown.`, `There are:\n  ${knownFaults().join('\n  ')}`);
}

/** What SANDBOX_FAULT may be. */
export function knownFaults(): string[] {
  return [
    ...Object.keys(circleFaults).map((fault) => `circle ${fault}`),
    ...Object.keys(alpacaFaults).map((fault) => `alpaca ${fault}`),
  ];
}
