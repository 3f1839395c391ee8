import { once } from 'node:events';
import type { Output } from '../world.ts';

/** Writes a result, waiting for a slow reader; a reader that went away (`recon … | head`) ends it quietly. */
export async function print(stream: Output, text: string | Iterable<string>): Promise<void> {
  for (const chunk of typeof text === 'string' ? [text] : text) {
    if (stream.destroyed || stream.errored) return;
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(() => undefined);
  }
}
