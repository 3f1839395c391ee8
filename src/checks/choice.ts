import type { Config } from '../config.ts';
import type { Scope } from '../run/cut.ts';
import { OperatorError } from '../operator-error.ts';
import { checks } from './index.ts';
import type { CheckName } from './names.ts';

/**
 * The checks of a run: those that are on, or of them those that were asked for. What cannot be narrowed as the run is
 * stays out, and is refused where it was asked for by name. Throws an OperatorError (64) if nothing would be left.
 */
export function chooseChecks(
  asked: readonly CheckName[] | undefined,
  config: Config,
  scope: Scope,
): readonly CheckName[] {
  const off = asked?.find((name) => !config.checks.includes(name));
  if (off !== undefined)
    throw new OperatorError(
      64,
      `--check ${off} is off: RECONCILIATION_CHECKS leaves it out.`,
      `On are ${config.checks.join(', ')}.`,
    );
  const chosen = config.checks.filter((name) => asked === undefined || asked.includes(name));
  const narrowed = chosen.filter((name) => canBeNarrowed(name, scope));
  const refused = asked === undefined ? chosen : chosen.filter((name) => !narrowed.includes(name));
  if (narrowed.length === 0 || (asked !== undefined && refused.length > 0))
    throw new OperatorError(
      64,
      refused.map((name) => whyWhole(name, scope)).join('\n'),
      'Leave out --since, --until and --user, or those checks.',
    );
  return narrowed;
}

function whyWhole(name: CheckName, scope: Scope): string {
  const { read, narrowsBy } = checks[name];
  const limits = limitsOf(scope).filter((limit) => !narrowsBy.includes(limit));
  const reason =
    read === undefined
      ? 'each of its records is for many users at once'
      : 'what a custodian holds is of no one time or user';
  return `${name} cannot be narrowed by ${limits.join(' and ')}: ${reason}.`;
}

function canBeNarrowed(name: CheckName, scope: Scope): boolean {
  return limitsOf(scope).every((limit) => checks[name].narrowsBy.includes(limit));
}

function limitsOf({ since, until, userId }: Scope): ('time' | 'user')[] {
  const limits: ('time' | 'user')[] = [];
  if (since !== null || until !== null) limits.push('time');
  if (userId !== null) limits.push('user');
  return limits;
}
