import type { Config } from '../config.ts';
import type { BegunReading, CustodianWorld, Progress } from '../custodians/custodian.ts';
import type { Transaction } from '../database/database.ts';
import type { KeptRows } from '../database/kept-rows.ts';
import type { KindName, Severity } from '../kinds.ts';
import type { Params, Relation, Source, Statement } from '../source.ts';
import type { CheckName } from './names.ts';
import type { Shared } from './shared.ts';

/** One of the comparisons that a run makes: what it reads, and how its two sides are compared. */
export interface Check {
  readonly name: CheckName;
  /** One sentence: which two sides agree when it passes. */
  readonly summary: string;
  /** What a manual run that includes it may be narrowed by: a custodian's total belongs to no time and to nobody. */
  readonly narrowsBy: readonly ('time' | 'user')[];
  /** The kinds of finding that it can report. */
  readonly kinds: readonly KindName[];
  readonly relations: readonly Relation[];
  /** Its SQL, by the name under which `recon checks <check> --sql` prints it. */
  readonly statements: Readonly<Record<string, Statement>>;
  /** The parameters that only this check sets. */
  readonly params: (config: Config) => Partial<Params>;
  /** Reads the custodian, before any snapshot is open. Absent where both sides are in the database. */
  readonly read?: (config: Config, world: CustodianWorld, progress: Progress) => Promise<BegunReading>;
  /**
   * Compares inside the cut, and hands over each finding as it comes, one per subject. Throws `Incomplete`, or
   * PostgreSQL's own error, if it cannot tell: then what it handed over does not count.
   */
  readonly compare: (cut: Cut, reading: BegunReading | undefined, found: Found) => Promise<Comparison>;
  /**
   * The names of the statements by which the check would search, because a sum is off in spite of what is known. Where
   * none is, it looks at nothing but what no sum covers. Absent where nothing is proven by sums. Throws like `compare`.
   */
  readonly searches?: (cut: Cut) => Promise<readonly string[]>;
}

/** The snapshot that all checks of a run see. */
export interface Cut {
  transaction: Transaction;
  source: Source;
  config: Config;
  params: Params;
  shared: Shared;
  horizon: Horizon;
  /** What the check verifies; absent in a run that is narrowed, or where nothing can be stored. */
  window?: Window;
  /** Subjects of each check with an open exception: they are looked at by name, so that proofs hold for the rest. */
  known: Readonly<Partial<Record<CheckName, readonly string[]>>>;
}

/** How far a run can vouch for what it saw. */
export interface Horizon {
  /** Nothing that is committed after the snapshot is older than that, as far as the database can tell. RFC 3339. */
  through: string;
  /** What keeps it further back than usual; null: nothing. */
  heldBack: string | null;
  /** By what a database is told from one that was restored or took over: its oid, and the timeline of its server. */
  history: string;
  /** How many transactions its server has begun, as decimal text: it never falls, unless the server is put back. */
  transactions: string;
}

/** The time that a check verifies, half-open: RFC 3339, compared in SQL only. */
export interface Window {
  /** Up to here an earlier run verified everything; null: no run that can be gone by. */
  since: string | null;
  /** Up to here this run verifies, if it is complete. */
  until: string;
  /** The run may leave out what has not changed since. */
  onlyChanges: boolean;
  /** Why it may not, though it is an hourly run. */
  why: string | null;
  /** The cut of the last run that looked at everything; null: none did. */
  provenAsOf: string | null;
  /** Ids of what was not final when it was looked at last. */
  waiting: readonly string[];
  /** How many records the last run compared that looked at everything; undefined: none did, or fewer are accepted. */
  compared?: number | undefined;
  /** Of these accounts, those that did not hold so much before `since`, or of which nothing is known. */
  differing: (accounts: readonly Checkpoint[]) => Promise<string[]>;
}

/** What an account held before a moment: exact decimal text, in the account's own sign. */
export interface Checkpoint {
  account_id: string;
  balance: string;
}

/** What the next hourly run needs to look at no more than what changed. */
export interface Handover {
  /** Ids of what is not final yet. */
  waiting: readonly string[];
  /** Of `Checkpoint`s. */
  checkpoints?: KeptRows;
}

/** Takes one finding. A check may have a million: nobody keeps them in a list. */
export type Found = (finding: Finding) => void;

/** What a complete check compared. */
export interface Comparison {
  /** Number of records that were compared; shown, so that nobody takes "0 compared" for a proof. */
  compared: number;
  totals: CurrencyTotals[];
  /** The check stopped at its limit of findings: there are more, and nothing may be cleared. */
  truncated: boolean;
  /** Stored in the metadata of the check: snake_case, JSON, amounts as strings. */
  details: Record<string, unknown>;
  coverage: Coverage;
  /** Absent: the next run looks at everything. */
  handover?: Handover;
  /**
   * What is left to do once the snapshot is closed; its answer takes the place of this one, with what it hands over
   * itself. Absent: nothing.
   */
  settle?: (after: AfterCut) => Promise<Comparison>;
}

/** What a check may still ask for when the snapshot of all checks is closed. */
export interface AfterCut {
  world: CustodianWorld;
  /** Told how much of what is read again has been read. */
  progress: Progress;
  /** Opens a short snapshot of its own. */
  cut: <T>(body: (cut: Cut) => Promise<T>) => Promise<T>;
  found: Found;
}

/** What a check looked at: everything, what changed since its watermark, or the part that a manual run asked for. */
export type Coverage = 'everything' | 'changes' | 'part';

/** Both sides in one currency. Amounts are exact decimal text. */
export interface CurrencyTotals {
  /** null where no source names one. */
  currency: string | null;
  expected: string;
  actual: string;
  /** Settled, not posted, still in the grace period. */
  awaited: number;
  awaitedAmount: string;
  /** Posted, but the record is not final yet. */
  inFlight: number;
  inFlightAmount: string;
}

/** One discrepancy. Amounts are exact decimal text; a value that does not exist is null, never zero. */
export interface Finding {
  check: CheckName;
  kind: KindName;
  /** `deposit:<id>`, `transaction:<id>`, `account:<id>`, `custodian:circle` … */
  subject: string;
  severity: Severity;
  /** One sentence for a person. */
  description: string;
  expected: string | null;
  actual: string | null;
  difference: string | null;
  currency: string | null;
  affectedUserId: string | null;
  metadata: Record<string, unknown>;
}

/** Identity of a finding over all runs: plain text, unique among the unresolved exceptions. */
export function fingerprintOf(finding: Pick<Finding, 'check' | 'kind' | 'subject'>): string {
  return `${finding.check}/${finding.kind}/${finding.subject}`;
}
