import type { CheckName } from '../checks/names.ts';
import { adjustAmount } from './adjust-amount.ts';
import type { Correction } from './correction.ts';
import { linkJob } from './link-job.ts';
import { postRecord } from './post-record.ts';
import { setBalance } from './set-balance.ts';

/** The registry: every correction there is. */
const corrections: readonly Correction[] = [setBalance, linkJob, postRecord, adjustAmount];

/** The kinds that a run corrects by itself, if that is switched on. */
export const automaticKinds = corrections.filter(({ by }) => by === 'machine').map(({ kind }) => kind);

/** What puts right what an exception of that kind and check says; undefined: nothing that recon knows. */
export function correctionOf(kind: string, check: CheckName): Correction | undefined {
  return corrections.find((correction) => correction.kind === kind && check in correction.tables);
}
