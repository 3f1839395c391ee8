import type { Config } from '../config.ts';
import type { KindName } from '../kinds.ts';
import type { Params, Relation, Statement } from '../source.ts';
import type { Check, Comparison, Cut, Found } from './check.ts';
import { searchFindings } from './findings.ts';
import type { CheckName } from './names.ts';
import type { Suspects } from './proof.ts';
import { readTotals, type Totals } from './totals.ts';

/** What a proof leaves to be looked at, and the totals once that is known. */
export interface Proof {
  /** The cut, as every statement of the proof saw it. */
  cut: Cut;
  /** null: everything is looked at. */
  suspects: Suspects;
  /** The totals of everything, given those of the suspects. */
  totals: (ofSuspects: () => Promise<Totals>) => Promise<Totals>;
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
  /** Shows cheaply that nothing is wrong, or where to look. */
  prove: (cut: Cut) => Promise<Proof>;
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
    prove,
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
    async compare(cut: Cut, _reading: unknown, found: Found): Promise<Comparison> {
      if (isNarrowed(cut.params)) return compareAll(cut, found);
      const proof = await prove(cut);
      if (proof.suspects === null) return compareAll(proof.cut, found);
      const narrowed = { ...proof.cut, params: { ...proof.cut.params, ...proof.suspects } };
      return {
        ...(await searchFindings(narrowed, name, findings, found)),
        ...(await proof.totals(() => readTotals(narrowed, totals))),
      };
    },
  };

  async function compareAll(cut: Cut, found: Found): Promise<Comparison> {
    return { ...(await searchFindings(cut, name, findings, found)), ...(await readTotals(cut, totals)) };
  }
}

function isNarrowed({ since, until, user_id: userId }: Params): boolean {
  return since !== null || until !== null || userId !== null;
}
