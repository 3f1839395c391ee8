import type { Config } from '../config.ts';
import type { Holding } from '../custodians/custodian.ts';
import { sum, type Money } from '../money.ts';
import type { CustodyView, Doubt } from './custody-cut.ts';
import { suspectsIn } from './custody-users.ts';
import { explainedBy, inFlightOf, type InFlight } from './in-flight.ts';

/** A custodian's total against the books, and how much of a difference is explained by what is under way. */
export interface Judgement {
  total: Money;
  difference: Money;
  inFlight: readonly InFlight[];
  explained: Money;
  /** What nothing explains: this, and not the difference, is held against the tolerance. */
  unexplained: Money;
  agrees: boolean;
}

export interface Limits {
  /** How much may be left unexplained. */
  tolerance: Money;
  graceMs: number;
  deadlineMs: number;
}

/** A payment may take as long as a withdrawal before it is stuck. */
export function limitsOf(tolerance: Money, config: Config): Limits {
  return { tolerance, graceMs: config.gracePeriodMs, deadlineMs: config.withdrawalStuckAfterMs };
}

/**
 * What one side has ended so lately that the other may not know of it yet explains its part too, unless both sides agree
 * without it: then both know, and it is only that nobody can tell which of the other side's movements it is.
 */
export function judge(view: CustodyView, limits: Limits): Judgement {
  const ours = view.movements.filter(({ externalId }) => view.holdings.has(externalId));
  const { reach, times } = view;
  const all = inFlightOf(ours, view.books, { ...limits, asOf: times.booksAt, reach });
  const known = all.filter(({ awaited }) => !awaited);
  const judgement = judgeWith(view, known, limits);
  return judgement.agrees ? judgement : judgeWith(view, all, limits);
}

function judgeWith(view: CustodyView, inFlight: readonly InFlight[], { tolerance }: Limits): Judgement {
  const total = sum(Array.from(view.holdings.values(), ({ amount }) => amount));
  const difference = total.minus(view.books.expected);
  const explained = explainedBy(inFlight);
  const unexplained = difference.minus(explained);
  const agrees = unexplained.abs().lessThanOrEqualTo(tolerance);
  return { total, difference, inFlight, explained, unexplained, agrees };
}

export function doubtOf(view: CustodyView, limits: Limits): Doubt {
  const { agrees, unexplained, inFlight } = judge(view, limits);
  const { tolerance } = limits;
  if (agrees) return { agrees, suspects: [] };
  const suspects = suspectsIn(view, unexplained.abs().minus(tolerance), tolerance);
  return { agrees, suspects: suspects && [...new Set([...suspects, ...explainersIn(view, inFlight)])] };
}

/** Where something is on its way: if it is shown there already, it explains what is no difference. */
function explainersIn({ holdings }: CustodyView, inFlight: readonly InFlight[]): Holding[] {
  const explaining = inFlight.filter(({ explains }) => !explains.isZero());
  return explaining.map(({ externalId }) => holdings.get(externalId ?? '')).filter((holding) => holding !== undefined);
}
