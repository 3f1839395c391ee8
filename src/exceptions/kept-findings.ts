import type { Finding } from '../checks/check.ts';
import { KeptRows } from '../database/kept-rows.ts';
import type { KindName, Severity } from '../kinds.ts';
import { columnsOf, type FindingColumns } from './exception.ts';
import { inListOrder } from './list-order.ts';

/** So many findings are sorted at a time: few enough to wait in memory, so many that a million make few runs to merge. */
const findingsPerRun = 2_000;

/**
 * The findings of one check, from the moment they are found until the one transaction that stores the run: as the JSON
 * that the database is given, compressed. 100,000 of them take about 10 MB. They lie in runs, each in the order of a
 * list, so that all of them can be read in that order without being in memory.
 */
export class KeptFindings {
  readonly #counts = new Map<Severity, Map<KindName, number>>();
  readonly #runs: KeptRows[] = [];
  #loose: FindingColumns[] = [];

  add(finding: Finding): void {
    const ofSeverity = this.#counts.get(finding.severity) ?? new Map<KindName, number>();
    this.#counts.set(finding.severity, ofSeverity);
    ofSeverity.set(finding.kind, (ofSeverity.get(finding.kind) ?? 0) + 1);
    this.#loose.push(columnsOf(finding));
    if (this.#loose.length === findingsPerRun) this.#sortLoose();
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
    for (const run of this.#runs) yield* run.batches();
  }

  /** All of them in parts, each in the order of a list, to be merged (`merged`). */
  runs(): Iterable<FindingColumns>[] {
    this.#sortLoose();
    return this.#runs.map((run) => run.rows() as Iterable<FindingColumns>);
  }

  #sortLoose(): void {
    if (this.#loose.length === 0) return;
    const run = new KeptRows();
    for (const row of inListOrder(this.#loose)) run.add(row);
    this.#runs.push(run);
    this.#loose = [];
  }
}
