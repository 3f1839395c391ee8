import { openCircle } from '../custodians/circle.ts';
import { Incomplete } from '../incomplete.ts';
import { custodianCheck } from './custodian-check.ts';

/** What the books say that Circle holds, against genuine USDC over all wallets. */
export const circleBalance = custodianCheck({
  name: 'circle_balance',
  custodian: 'circle',
  summary: 'Circle holds what the books say: genuine USDC over all wallets, within the tolerance.',
  settings: (config) => config.circle,
  open({ circle, requestTimeoutMs }) {
    const { apiKey } = circle;
    if (apiKey === undefined)
      throw new Incomplete(
        'CIRCLE_API_KEY is not set: set it, or leave circle_balance out of RECONCILIATION_CHECKS.',
        78,
      );
    return openCircle({ ...circle, apiKey, requestTimeoutMs });
  },
});
