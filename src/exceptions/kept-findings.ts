import { deflateSync, inflateSync } from 'node:zlib';
import type { Finding } from '../checks/check.ts';
import { toJsonb } from '../jsonb.ts';
import type { KindName, Severity } from '../kinds.ts';
import { columnsOf, type FindingColumns } from './exception.ts';

/** So many rows are compressed together: few enough that what waits for it is little … */
const rowsPerBlock = 50;

/** … and so many blocks are given out together, to be stored by one statement. */
const blocksPerBatch = 3;

/**
 * The findings of one check, from the moment they are found until the one transaction that stores the run: as the JSON
 * that the database is given, compressed. 100,000 of them take about 10 MB.
 */
export class KeptFindings {
  readonly #piles = new Map<Severity, Map<KindName, Pile>>();

  add(finding: Finding): void {
    const ofSeverity = this.#piles.get(finding.severity) ?? new Map<KindName, Pile>();
    this.#piles.set(finding.severity, ofSeverity);
    const pile = ofSeverity.get(finding.kind) ?? new Pile();
    ofSeverity.set(finding.kind, pile);
    pile.add(columnsOf(finding));
  }

  /** How many there are, of one severity or of all. */
  count(severity?: Severity): number {
    return this.#pilesOf(severity).reduce((count, pile) => count + pile.count, 0);
  }

  /** JSON arrays of `FindingColumns`, a few hundred in each. Those of one severity come in the order of their fingerprints. */
  *batches(severity?: Severity): Generator<string> {
    for (const pile of this.#pilesOf(severity)) yield* pile.batches();
  }

  /** Kinds in order, for within one of them findings come in the order of their subjects: fingerprint is both together. */
  #pilesOf(severity: Severity | undefined): Pile[] {
    const chosen = severity === undefined ? [...this.#piles.keys()] : [severity];
    return chosen.flatMap((each) => {
      const ofSeverity = [...(this.#piles.get(each) ?? [])];
      return ofSeverity.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, pile]) => pile);
    });
  }
}

/** Findings of one severity and kind. */
class Pile {
  count = 0;
  readonly #blocks: Buffer[] = [];
  #loose: string[] = [];

  add(row: FindingColumns): void {
    this.count += 1;
    this.#loose.push(toJsonb(row));
    if (this.#loose.length < rowsPerBlock) return;
    this.#blocks.push(compressed(this.#loose.join(',')));
    this.#loose = [];
  }

  *batches(): Generator<string> {
    for (let start = 0; start < this.#blocks.length; start += blocksPerBatch)
      yield `[${this.#blocks
        .slice(start, start + blocksPerBatch)
        .map(expanded)
        .join(',')}]`;
    if (this.#loose.length > 0) yield `[${this.#loose.join(',')}]`;
  }
}

/** As a copy of its own: zlib's result would hold on to the larger buffer that it was written into. */
function compressed(text: string): Buffer {
  return Buffer.from(deflateSync(text, { level: 1 }));
}

function expanded(block: Buffer): string {
  return inflateSync(block, { chunkSize: 65_536 }).toString();
}
