import { deflateSync, inflateSync } from 'node:zlib';
import { toJsonb } from './jsonb.ts';

/** So many rows are compressed together: few enough that what waits for it is little … */
const rowsPerBlock = 50;

/** … and so many blocks are given out together, to be stored by one statement. */
const blocksPerBatch = 20;

/**
 * Rows from the moment they are read until the one transaction that stores the run: as the JSON that the database is
 * given, compressed.
 */
export class KeptRows {
  readonly #blocks: Buffer[] = [];
  #loose: string[] = [];

  add(row: object): void {
    this.#loose.push(toJsonb(row));
    if (this.#loose.length < rowsPerBlock) return;
    this.#blocks.push(compressed(this.#loose.join(',')));
    this.#loose = [];
  }

  /** JSON arrays of a thousand rows each, in the order in which they were added. */
  *batches(): Generator<string> {
    for (let start = 0; start < this.#blocks.length; start += blocksPerBatch)
      yield `[${this.#blocks
        .slice(start, start + blocksPerBatch)
        .map(expanded)
        .join(',')}]`;
    if (this.#loose.length > 0) yield `[${this.#loose.join(',')}]`;
  }

  /** The rows themselves, in the same order; one block of them is in memory. */
  *rows(): Generator {
    for (const block of this.#blocks) yield* JSON.parse(`[${expanded(block)}]`) as unknown[];
    yield* JSON.parse(`[${this.#loose.join(',')}]`) as unknown[];
  }
}

/** As a copy of its own: zlib's result would hold on to the larger buffer that it was written into. */
function compressed(text: string): Buffer {
  return Buffer.from(deflateSync(text, { level: 1 }));
}

function expanded(block: Buffer): string {
  return inflateSync(block, { chunkSize: 65_536 }).toString();
}
