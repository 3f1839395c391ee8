import type { Config } from '../config.ts';
import type { KindName } from '../kinds.ts';
import type { Params, Relation, Statement } from '../source.ts';
import type { Check, Comparison, Cut } from './check.ts';
import { searchFindings } from './findings.ts';
import type { CheckName } from './names.ts';
import { readTotals } from './totals.ts';

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
}): Check {
  const { name, summary, narrowsBy = ['time', 'user'], kinds, relations, layers, stem, params } = definition;
  const findings: Statement = { relations, layers, file: `${stem}.findings.sql` };
  const totals: Statement = { relations, layers, file: `${stem}.totals.sql` };
  return {
    name,
    summary,
    narrowsBy,
    kinds,
    relations,
    statements: { findings, totals },
    params,
    async compare(cut: Cut): Promise<Comparison> {
      return { ...(await searchFindings(cut, name, findings)), ...(await readTotals(cut, totals)) };
    },
  };
}
