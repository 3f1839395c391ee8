import { openAlpaca } from '../custodians/alpaca.ts';
import { Incomplete } from '../incomplete.ts';
import { custodianCheck } from './custodian-check.ts';

/** What the books say that Alpaca holds, against the measure summed over all accounts. */
export const alpacaBalance = custodianCheck({
  name: 'alpaca_balance',
  custodian: 'alpaca',
  summary: 'Alpaca holds what the books say: the measure summed over all accounts, within the tolerance.',
  settings: (config) => config.alpaca,
  open({ alpaca, requestTimeoutMs }) {
    const { apiKey, apiSecret } = alpaca;
    if (apiKey === undefined || apiSecret === undefined)
      throw new Incomplete(
        `${apiKey === undefined ? 'ALPACA_API_KEY' : 'ALPACA_API_SECRET'} is not set: set it, or leave alpaca_balance out of RECONCILIATION_CHECKS.`,
        78,
      );
    return openAlpaca({ ...alpaca, apiKey, apiSecret, requestTimeoutMs });
  },
});
