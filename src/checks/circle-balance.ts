import type { Config } from '../config.ts';
import { askCircle, readCircle, type CircleOptions } from '../custodians/circle.ts';
import { Incomplete } from '../incomplete.ts';
import { custodianCheck } from './custodian-check.ts';

/** What the books say that Circle holds, against genuine USDC over all wallets. */
export const circleBalance = custodianCheck({
  name: 'circle_balance',
  custodian: 'circle',
  summary: 'Circle holds what the books say: genuine USDC over all wallets, within the tolerance.',
  tolerance: (config) => config.circle.tolerance,
  read: async (config, world, progress) => readCircle(optionsOf(config), world, progress),
  ask: async (config, world) => askCircle(optionsOf(config), world),
});

function optionsOf({ circle, requestTimeoutMs }: Config): CircleOptions {
  const { apiKey } = circle;
  if (apiKey === undefined)
    throw new Incomplete(
      'CIRCLE_API_KEY is not set: set it, or leave circle_balance out of RECONCILIATION_CHECKS.',
      78,
    );
  return { ...circle, apiKey, requestTimeoutMs };
}
