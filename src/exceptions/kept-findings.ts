import type { Finding } from '../checks/check.ts';
import { KeptRows } from '../database/kept-rows.ts';
import type { KindName, Severity } from '../kinds.ts';
import { columnsOf, type FindingColumns } from './exception.ts';
import { inListOrder } from './list-order.ts';

/** So many findings are sorted at a time: few enough to wait in memory, so many that a million make few parts to merge. */
const findingsPerPart = 2_000;

/**
 * The findings of one check, from the moment they are found until the one transaction that stores the run: as the JSON
 * that the database is given, compressed. 100,000 of them take about 10 MB. They lie in parts, each in the order of a
 * list, so that all of them can be read in that order without being in memory.
 */
export class KeptFindings {
  readonly #counts = new Map<Severity, Map<KindName, number>>();
  readonly #parts: KeptRows[] = [];
  #loose: FindingColumns[] = [];

  add(finding: Finding): void {
    const ofSeverity = this.#counts.get(finding.severity) ?? new Map<KindName, number>();
    this.#counts.set(finding.severity, ofSeverity);
    ofSeverity.set(finding.kind, (ofSeverity.get(finding.kind) ?? 0) + 1);
    this.#loose.push(columnsOf(finding));
    if (this.#loose.length === findingsPerPart) this.#sortLoose();
  }

  /** How many there are, of one severity or of all. */
  count(severity?: Severity): number {
    const counted = severity === undefined ? [...this.#counts.keys()] : [severity];
    const counts = counted.flatMap((each) => [...(this.#counts.get(each)?.values() ?? [])]);
    return counts.reduce((all, count) => all + count, 0);
  }

  /** How many there are of one severity and kind. */
  countOf(severity: Severity, kind: KindName): number {
    return this.#counts.get(severity)?.get(kind) ?? 0;
  }

  /** JSON arrays of `FindingColumns`, at most a thousand in each. */
  *batches(): Generator<string> {
    this.#sortLoose();
    for (const part of this.#parts) yield* part.batches();
  }

  /** All of them, in parts that are each in the order of a list, to be merged (`merged`). */
  sortedParts(): Iterable<FindingColumns>[] {
    this.#sortLoose();
    return this.#parts.map((part) => part.rows() as Iterable<FindingColumns>);
  }

  #sortLoose(): void {
    if (this.#loose.length === 0) return;
    const part = new KeptRows();
    for (const row of inListOrder(this.#loose)) part.add(row);
    this.#parts.push(part);
    this.#loose = [];
  }
}
