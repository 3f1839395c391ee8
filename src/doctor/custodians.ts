import { checks } from '../checks/index.ts';
import { checkNames, type CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { Incomplete } from '../incomplete.ts';
import { ok, problem, type Examination, type Opinion, type Patient } from './examination.ts';

/** Longer than the retries of one request take when a custodian is busy, shorter than a person waits. */
const patienceMs = 20_000;

/** One for every check with a custodian: that it answers, and takes the credentials. */
export const custodians: readonly Examination[] = checkNames.flatMap((name) => {
  const { ask } = checks[name];
  return ask === undefined ? [] : [{ topic: name, examine: async (patient) => [await greet(patient, name, ask)] }];
});

type CustodianCheck = (typeof checkNames)[number];

async function greet(
  { config, world }: Patient,
  name: CustodianCheck,
  ask: NonNullable<(typeof checks)[CustodianCheck]['ask']>,
): Promise<Opinion> {
  if (!config.checks.includes(name)) return ok('Off: RECONCILIATION_CHECKS leaves it out.');
  const deadline = AbortSignal.timeout(patienceMs);
  try {
    await ask(config, { ...world, signal: AbortSignal.any([world.signal, deadline]) });
    return ok('The custodian answers, and takes the credentials.');
  } catch (error) {
    world.signal.throwIfAborted();
    if (deadline.aborted) return problem(`No answer within ${patienceMs / 1000} s.`, nextSteps[3]);
    if (error instanceof Incomplete)
      return problem(error.message, error.exitCode === 78 ? howToSet(config, name) : nextSteps[error.exitCode]);
    throw error;
  }
}

/** What a run without that check would be started with: nobody should have to know all names. */
function howToSet({ checks: on }: Config, name: CheckName): string {
  const others = on.filter((other) => other !== name).join(',');
  return `\`recon help environment\` says what each variable is. Without this check: RECONCILIATION_CHECKS=${others}`;
}

/** By what a run would exit with. */
const nextSteps = {
  3: 'Try again; if it stays so, look at the base URL, the network, and the custodian’s status page.',
  77: 'Check the key and the secret: whether they are whole, and belong to the environment of the base URL.',
} as const;
