import type { Config } from '../config.ts';
import type { KindName } from '../kinds.ts';
import type { Params, Relation, Statement } from '../source.ts';
import type { Check, Comparison, Cut, Found, Handover, Window } from './check.ts';
import { searchFindings } from './findings.ts';
import type { CheckName } from './names.ts';
import type { Suspects } from './proof.ts';
import { readTotals, type Totals } from './totals.ts';

/** What is left to be looked at, and the totals once that is known. */
export interface Proof {
  /** The cut, as every statement of the proof saw it. */
  cut: Cut;
  /** null: everything is looked at. */
  suspects: Suspects;
  /** The totals of what the check covers; `read` adds up a part record by record, null for everything. */
  totals: (read: (part: Suspects) => Promise<Totals>) => Promise<Totals>;
}

/** How a check finds out where to look. */
interface Ways {
  /** Shows cheaply that nothing is wrong, or where to look. */
  prove: (cut: Cut) => Promise<Proof>;
  /** The names of the proof's statements that list what may have put a sum off, where one is off. */
  searches: (cut: Cut) => Promise<readonly string[]>;
  /** Finds what changed since the watermark; suspects are null where that is too much for a list. */
  change: (cut: Cut, window: Window) => Promise<Proof>;
  /** What the next hourly run needs to know of what was looked at; undefined if it is too much. */
  handOver: (cut: Cut, window: Window, suspects: Suspects) => Promise<Handover | undefined>;
}

/** A check whose two sides are both in the database: one query finds what disagrees, one adds up what was compared. */
export function databaseCheck(definition: {
  name: CheckName;
  summary: string;
  narrowsBy?: Check['narrowsBy'];
  kinds: readonly KindName[];
  relations: readonly Relation[];
  layers: Statement['layers'];
  /** Stem of its files in sql/checks: `<stem>.findings.sql` and `<stem>.totals.sql`. */
  stem: string;
  params: (config: Config) => Partial<Params>;
  ways: Ways;
  /** What its ways ask. */
  proofs: Check['statements'];
}): Check {
  const {
    name,
    summary,
    narrowsBy = ['time', 'user'],
    kinds,
    relations,
    layers,
    stem,
    params,
    ways,
    proofs,
  } = definition;
  const findings: Statement = { relations, layers, file: `${stem}.findings.sql` };
  const totals: Statement = { relations, layers, file: `${stem}.totals.sql` };
  return {
    name,
    summary,
    narrowsBy,
    kinds,
    relations,
    statements: { findings, totals, ...proofs },
    params,
    searches: ways.searches,
    compare: (cut, _reading, found) => compare(cut, ways, { name, findings, totals, found }),
  };
}

/** The two statements of a check, and who takes what is found. */
interface Search {
  name: CheckName;
  findings: Statement;
  totals: Statement;
  found: Found;
}

async function compare(cut: Cut, { prove, change, handOver }: Ways, search: Search): Promise<Comparison> {
  if (isNarrowed(cut.params)) return { ...(await compareAll(cut, search)), coverage: 'part' };
  const { window } = cut;
  const changed = window?.onlyChanges === true ? await change(cut, window) : undefined;
  const onlyChanges = changed !== undefined && changed.suspects !== null;
  const proof = onlyChanges ? changed : await prove(cut);
  const coverage = onlyChanges ? 'changes' : 'everything';
  const handover = window && (await handOver(cut, window, proof.suspects));
  return { ...(await compareSuspects(proof, search)), coverage, ...(handover && { handover }) };
}

type Compared = Omit<Comparison, 'coverage' | 'handover'>;

async function compareSuspects({ cut, suspects, totals }: Proof, search: Search): Promise<Compared> {
  if (suspects === null) return compareAll(cut, search);
  const narrowedTo = (part: Suspects) => ({ ...cut, params: { ...cut.params, ...part } });
  return {
    ...(await searchFindings(narrowedTo(suspects), search.name, search.findings, search.found)),
    ...(await totals((part) => readTotals(narrowedTo(part), search.totals))),
  };
}

async function compareAll(cut: Cut, { name, findings, totals, found }: Search): Promise<Compared> {
  return { ...(await searchFindings(cut, name, findings, found)), ...(await readTotals(cut, totals)) };
}

function isNarrowed({ since, until, user_id: userId }: Params): boolean {
  return since !== null || until !== null || userId !== null;
}
