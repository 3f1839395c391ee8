import type { Finding } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import type { KindName } from '../kinds.ts';
import type { Money } from '../money.ts';
import type { HostTable, HostRow } from './host-tables.ts';
import type { Site } from './site.ts';

export const correctionNames = ['set_balance', 'link_job', 'post_record', 'adjust_amount'] as const;
export type CorrectionName = (typeof correctionNames)[number];

/** How what one kind of finding says is put right, and the proof that it is right. */
export interface Correction {
  readonly name: CorrectionName;
  readonly kind: KindName;
  /** `machine`: a run does it by itself, if that is switched on; people may too. `people`: only two of them. */
  readonly by: 'machine' | 'people';
  /** What it does, for the catalogue. */
  readonly meaning: string;
  /** The checks whose findings it puts right, each with the host's table of the subject: that row is locked first. */
  readonly tables: Readonly<Partial<Record<CheckName, HostTable>>>;
  /**
   * What is to be written, decided from what the transaction sees now. May lock further rows, after that of the subject
   * and in the order of their ids. Throws a `Refusal` where the answer does not follow from the data.
   */
  readonly plan: (site: Site, finding: Finding) => Promise<Plan>;
}

/** What a correction would write, and what is to be looked at before and after it. */
export interface Plan {
  /** What it moves, without a sign; zero where it moves no money. */
  amount: Money;
  currency: string | null;
  /** In one sentence, for a person. */
  action: string;
  rows: readonly HostRow[];
  touches: Touched;
}

/** What a correction touches: whatever else is wrong with it stands in the way. */
export interface Touched {
  /** `account:<id>`, `transaction:<id>` … */
  subjects: readonly string[];
  users: readonly string[];
  /** Nothing may be wrong with any transaction that has an entry on one of these. */
  accounts: readonly string[];
  /** What it writes or relies on: the ledger is checked again for these. */
  transactions: readonly string[];
}
