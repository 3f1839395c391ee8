import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import type { Incomplete } from '../incomplete.ts';
import { runbook } from '../shipped.ts';
import { access, isCustodianCheck, type CustodianCheck } from './access.ts';
import { meaningOf } from './meaning.ts';

/** What to do about a custodian that could not be read: the words of the runbook, for the message at hand. */
export function howToMend({ exitCode, message }: Incomplete, config: Config, name: CustodianCheck): string {
  const { at, keys, noun, variable } = access[name](config);
  if (exitCode !== 78) return nextSteps[exitCode](at, Object.keys(keys));
  if (message.includes('cannot be verified'))
    return `Name in ${variable} each ${noun} that holds none of the customers’ money. ${whereReasons}`;
  return keyOfCircle(config);
}

/** Where each reason stands with what it means. */
export const whereReasons = `${runbook}, "Circle or Alpaca could not be read", goes on from there.`;

/** By what a run would exit with. */
export const nextSteps = {
  3: (at: string) =>
    `Try again; if it stays so, look at ${at}, the network, and the custodian’s status page. ${whereReasons}`,
  77: (at: string, keys: readonly string[]) =>
    `Check ${keys.join(' and ')}, which must be whole, allowed to read, and of ${at}.`,
};

/** Source: API-FACTS.md A.0 and A.6. */
function keyOfCircle({ circle: { apiKey = '' } }: Config): string {
  const [prefix = ''] = apiKey.split(':');
  const sees = { TEST_API_KEY: 'testnets', LIVE_API_KEY: 'mainnets' }[prefix];
  return sees === undefined
    ? whereReasons
    : `CIRCLE_API_KEY begins with ${prefix}: it sees ${sees} only, and the books have to be of those. ${whereReasons}`;
}

/** Or what a run without any custodian that has no keys would be started with: nobody should have to know all names. */
export function howToSet(message: string, config: Config, name: CustodianCheck): string {
  const meaning = meaningOf(message) ?? '`recon help environment` says what each variable is.';
  const others = config.checks.filter((other) => other !== name && hasKeys(config, other));
  return others.length === 0 ? meaning : `${meaning} Or do without: RECONCILIATION_CHECKS=${others.join(',')}`;
}

function hasKeys(config: Config, name: CheckName): boolean {
  return !isCustodianCheck(name) || Object.values(access[name](config).keys).every((key) => key !== undefined);
}
