import type { Finding } from '../checks/check.ts';
import { KeptRows } from '../database/kept-rows.ts';
import type { KindName, Severity } from '../kinds.ts';
import { columnsOf } from './exception.ts';

/**
 * The findings of one check, from the moment they are found until the one transaction that stores the run: as the JSON
 * that the database is given, compressed. 100,000 of them take about 10 MB.
 */
export class KeptFindings {
  readonly #kept = new Map<Severity, Map<KindName, KeptRows>>();

  add(finding: Finding): void {
    const ofSeverity = this.#kept.get(finding.severity) ?? new Map<KindName, KeptRows>();
    this.#kept.set(finding.severity, ofSeverity);
    const rows = ofSeverity.get(finding.kind) ?? new KeptRows();
    ofSeverity.set(finding.kind, rows);
    rows.add(columnsOf(finding));
  }

  /** How many there are, of one severity or of all. */
  count(severity?: Severity): number {
    return this.#keptOf(severity).reduce((count, rows) => count + rows.count, 0);
  }

  /** How many there are of one severity and kind. */
  countOf(severity: Severity, kind: KindName): number {
    return this.#kept.get(severity)?.get(kind)?.count ?? 0;
  }

  /** JSON arrays of `FindingColumns`, a thousand in each. Those of one severity come in the order of their fingerprints. */
  *batches(severity?: Severity): Generator<string> {
    for (const rows of this.#keptOf(severity)) yield* rows.batches();
  }

  /** Kinds in order, for within one of them findings come in the order of their subjects: fingerprint is both together. */
  #keptOf(severity: Severity | undefined): KeptRows[] {
    const chosen = severity === undefined ? [...this.#kept.keys()] : [severity];
    return chosen.flatMap((each) => {
      const ofSeverity = [...(this.#kept.get(each) ?? [])];
      return ofSeverity.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, rows]) => rows);
    });
  }
}
