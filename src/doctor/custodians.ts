import { checks } from '../checks/index.ts';
import { checkNames, type CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { Incomplete } from '../incomplete.ts';
import { ok, problem, type Examination, type Opinion, type Patient } from './examination.ts';
import { meaningOf } from './meaning.ts';

/** Longer than the retries of one request take when a custodian is busy, shorter than a person waits. */
const patienceMs = 20_000;

/** What leads to the custodian of a check: where it is asked, and with what. */
const access = {
  circle_balance: ({ circle }: Config) => ({
    at: `CIRCLE_BASE_URL (${circle.baseUrl})`,
    keys: [circle.apiKey],
  }),
  alpaca_balance: ({ alpaca: { baseUrl, authUrl, apiKey, apiSecret } }: Config) => ({
    at: `ALPACA_BASE_URL (${baseUrl})${authUrl === undefined ? '' : `, ALPACA_AUTH_URL (${authUrl})`}`,
    keys: [apiKey, apiSecret],
  }),
};

type CustodianCheck = keyof typeof access;

const isCustodianCheck = (name: CheckName): name is CustodianCheck => name in access;

/** One for every check with a custodian: that it answers, and takes the credentials. */
export const custodians: readonly Examination[] = checkNames.filter(isCustodianCheck).map((name) => ({
  topic: name,
  examine: async (patient) => [await greet(patient, name)],
}));

async function greet({ config, world }: Patient, name: CustodianCheck): Promise<Opinion> {
  if (!config.checks.includes(name)) return ok('Off: RECONCILIATION_CHECKS leaves it out.');
  const { at } = access[name](config);
  const deadline = AbortSignal.timeout(patienceMs);
  try {
    await checks[name].ask?.(config, { ...world, signal: AbortSignal.any([world.signal, deadline]) });
    return ok('The custodian answers, and takes the credentials.');
  } catch (error) {
    world.signal.throwIfAborted();
    if (deadline.aborted) return problem(`No answer within ${patienceMs / 1000} s.`, nextSteps[3](at));
    if (!(error instanceof Incomplete)) throw error;
    const { exitCode, message } = error;
    return problem(message, exitCode === 78 ? howToSet(message, config, name) : nextSteps[exitCode](at));
  }
}

/** By what a run would exit with. */
const nextSteps = {
  3: (at: string) => `Try again; if it stays so, look at ${at}, the network, and the custodian’s status page.`,
  77: (at: string) => `Check the key and the secret: whether they are whole, and belong to ${at}.`,
};

/** Or what a run without any custodian that has no keys would be started with: nobody should have to know all names. */
function howToSet(message: string, config: Config, name: CustodianCheck): string {
  const meaning = meaningOf(message) ?? '`recon help environment` says what each variable is.';
  const others = config.checks.filter((other) => other !== name && hasKeys(config, other));
  return others.length === 0 ? meaning : `${meaning} Or do without: RECONCILIATION_CHECKS=${others.join(',')}`;
}

function hasKeys(config: Config, name: CheckName): boolean {
  return !isCustodianCheck(name) || access[name](config).keys.every((key) => key !== undefined);
}
