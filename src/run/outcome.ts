import type { Control } from './canary.ts';
import type { Comparison, Window } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import type { KeptFindings } from '../exceptions/kept-findings.ts';
import { Incomplete } from '../incomplete.ts';
import type { Severity } from '../kinds.ts';
import type { CutTimes, Verified } from './watermarks.ts';

/** What became of one check in this run. */
export interface CheckOutcome {
  name: CheckName;
  id: string;
  startedAt: Date;
  executionMs: number;
  /** Either what was compared, or why nothing was proven. */
  result: Compared | Incomplete;
  /** What it made of the canary, or why nobody knows; none where there is no canary for it. */
  control: Control | Incomplete | 'none' | 'not asked';
  /** What it verifies if it is complete. */
  verifies?: { window: Window; times: CutTimes };
}

/** A complete comparison, with what it found. */
export interface Compared extends Comparison {
  findings: KeptFindings;
  /** How many of these are accepted: known and agreed. */
  accepted: Readonly<Record<Severity, number>>;
}

/** A check moves its watermark on unless it was incomplete, narrowed, stopped at its limit, or has too much to hand over. */
export function movedOn({ result, verifies }: CheckOutcome): Omit<Verified, 'check' | 'reportId'> | undefined {
  if (result instanceof Incomplete || verifies === undefined) return undefined;
  const { coverage, handover, truncated } = result;
  return handover === undefined || truncated ? undefined : { ...verifies, coverage, handover };
}
