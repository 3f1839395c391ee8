import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Finding } from '../checks/check.ts';
import { KeptRows } from '../database/kept-rows.ts';
import type { KindName, Severity } from '../kinds.ts';
import { columnsOf, type FindingColumns } from './exception.ts';
import { inListOrder } from './list-order.ts';

/** So many findings lie in a part: few enough to be sorted in memory, so many that a million make few parts to merge. */
const findingsPerPart = 2_000;

/**
 * The findings of one check, from the moment they are found until the one transaction that stores the run: as the JSON
 * that the database is given, compressed. 100,000 of them take about 10 MB.
 */
export class KeptFindings {
  readonly #counts = new Map<Severity, Map<KindName, number>>();
  readonly #parts: KeptRows[] = [];
  #all = 0;

  add(finding: Finding): void {
    const ofSeverity = this.#counts.get(finding.severity) ?? new Map<KindName, number>();
    this.#counts.set(finding.severity, ofSeverity);
    ofSeverity.set(finding.kind, (ofSeverity.get(finding.kind) ?? 0) + 1);
    if (this.#all % findingsPerPart === 0) this.#parts.push(new KeptRows());
    this.#all += 1;
    this.#parts.at(-1)?.add(columnsOf(finding));
  }

  /** How many there are, of one severity or of all. */
  count(severity?: Severity): number {
    if (severity === undefined) return this.#all;
    return [...(this.#counts.get(severity)?.values() ?? [])].reduce((all, count) => all + count, 0);
  }

  /** How many there are of one severity and kind. */
  countOf(severity: Severity, kind: KindName): number {
    return this.#counts.get(severity)?.get(kind) ?? 0;
  }

  /** JSON arrays of `FindingColumns`, at most a thousand in each. */
  *batches(): Generator<string> {
    for (const part of this.#parts) yield* part.batches();
  }

  /**
   * All of them, in parts that are each in the order of a list, to be merged (`merged`): without a database that sorts
   * them, and without all of them in memory. Others get their turns meanwhile.
   */
  async sortedParts(): Promise<Iterable<FindingColumns>[]> {
    for (const [index, part] of this.#parts.entries()) {
      this.#parts[index] = sorted(part);
      await nextTurn();
    }
    return this.#parts.map(rowsOf);
  }
}

function sorted(part: KeptRows): KeptRows {
  const inOrder = new KeptRows();
  for (const row of inListOrder([...rowsOf(part)])) inOrder.add(row);
  return inOrder;
}

function rowsOf(part: KeptRows): Iterable<FindingColumns> {
  return part.rows() as Iterable<FindingColumns>;
}
