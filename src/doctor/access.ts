import { checkNames, type CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';

/** What leads to the custodian of a check: where it is asked, with which variables; what it holds, and what is left out. */
export const access = {
  circle_balance: ({ circle }: Config) => ({
    at: `CIRCLE_BASE_URL (${circle.baseUrl})`,
    keys: { CIRCLE_API_KEY: circle.apiKey },
    pace: 'CIRCLE_REQUESTS_PER_SECOND',
    noun: 'wallet',
    exclude: circle.exclude,
    variable: 'RECONCILIATION_CIRCLE_EXCLUDE',
  }),
  alpaca_balance: ({ alpaca: { baseUrl, authUrl, apiKey, apiSecret, exclude } }: Config) => ({
    at: `ALPACA_BASE_URL (${baseUrl})${authUrl === undefined ? '' : `, ALPACA_AUTH_URL (${authUrl})`}`,
    keys: { ALPACA_API_KEY: apiKey, ALPACA_API_SECRET: apiSecret },
    pace: 'ALPACA_REQUESTS_PER_SECOND',
    noun: 'account',
    exclude,
    variable: 'RECONCILIATION_ALPACA_EXCLUDE',
  }),
};

export type CustodianCheck = keyof typeof access;

export function isCustodianCheck(name: CheckName): name is CustodianCheck {
  return name in access;
}

/** Every check with a custodian. */
export const custodianChecks = checkNames.filter(isCustodianCheck);
