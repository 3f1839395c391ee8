import { once } from 'node:events';
import type { Items } from '../database/list-of.ts';
import type { Output } from '../world.ts';

/** Writes a result, waiting for a slow reader; a reader that went away (`recon … | head`) ends it quietly. */
export async function print(stream: Output, text: string | Items<string>): Promise<void> {
  for await (const chunk of typeof text === 'string' ? [text] : text) {
    if (hasLeft(stream)) return;
    if (!stream.write(chunk)) await readyAgain(stream);
  }
}

/** Whether nobody reads any further. */
export function hasLeft(stream: Output): boolean {
  return stream.destroyed || Boolean(stream.errored);
}

async function readyAgain(stream: Output): Promise<void> {
  const over = new AbortController(); // takes the listeners away: a long result waits thousands of times
  const waiting = ['drain', 'close'].map((event) => once(stream, event, { signal: over.signal }));
  await Promise.race(waiting).catch(() => undefined);
  over.abort();
  await Promise.allSettled(waiting);
}
