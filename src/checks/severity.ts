import type { Config } from '../config.ts';
import { severities, type Kind, type Severity } from '../kinds.ts';
import { larger, zero, type Money } from '../money.ts';

/**
 * Severity of a finding: by the amount at stake, never below the kind's floor nor above its ceiling. An amount that is not
 * a number is critical: nobody knows what it stands for.
 */
export function severityOf(
  kind: Kind,
  difference: Money | null,
  stake: Money | null,
  upTo: Config['severityUpTo'],
): Severity {
  return clamp(byAmount(atStake(kind, difference, stake), upTo), kind.floor, kind.ceiling);
}

/** The larger of |difference|, unless that is a number of things, and |stake|. */
export function atStake({ unit }: Pick<Kind, 'unit'>, difference: Money | null, stake: Money | null): Money {
  const counted = unit === 'count' ? null : difference;
  return larger(counted?.abs() ?? zero, stake?.abs() ?? zero);
}

export function worse(left: Severity, right: Severity): Severity {
  return severities.indexOf(left) < severities.indexOf(right) ? right : left;
}

function byAmount(amount: Money, upTo: Config['severityUpTo']): Severity {
  if (amount.lessThanOrEqualTo(upTo.low)) return 'low';
  if (amount.lessThanOrEqualTo(upTo.medium)) return 'medium';
  return amount.lessThanOrEqualTo(upTo.high) ? 'high' : 'critical';
}

function clamp(severity: Severity, floor: Severity, ceiling: Severity): Severity {
  const rank = Math.min(Math.max(severities.indexOf(severity), severities.indexOf(floor)), severities.indexOf(ceiling));
  return severities[rank] ?? severity;
}
