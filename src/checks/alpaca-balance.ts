import type { Config } from '../config.ts';
import { askAlpaca, readAlpaca, type AlpacaOptions } from '../custodians/alpaca.ts';
import { Incomplete } from '../incomplete.ts';
import { custodianCheck } from './custodian-check.ts';

/** What the books say that Alpaca holds, against the measure summed over all accounts. */
export const alpacaBalance = custodianCheck({
  name: 'alpaca_balance',
  custodian: 'alpaca',
  summary: 'Alpaca holds what the books say: the measure summed over all accounts, within the tolerance.',
  tolerance: (config) => config.alpaca.tolerance,
  read: async (config, world, progress) => readAlpaca(optionsOf(config), world, progress),
  ask: async (config, world) => askAlpaca(optionsOf(config), world),
});

function optionsOf({ alpaca, requestTimeoutMs }: Config): AlpacaOptions {
  const { apiKey, apiSecret } = alpaca;
  if (apiKey === undefined || apiSecret === undefined)
    throw new Incomplete(
      `${apiKey === undefined ? 'ALPACA_API_KEY' : 'ALPACA_API_SECRET'} is not set: set it, or leave alpaca_balance out of RECONCILIATION_CHECKS.`,
      78,
    );
  return { ...alpaca, apiKey, apiSecret, requestTimeoutMs };
}
