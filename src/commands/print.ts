import { once } from 'node:events';
import type { Items } from '../database/list-of.ts';
import { asCalled } from '../shell.ts';
import { widthOf, type Output, type World } from '../world.ts';

/** Writes a result, waiting for a slow reader; a reader that went away (`recon … | head`) ends it quietly. */
export async function print(stream: Output, text: string | Items<string>): Promise<void> {
  for await (const chunk of typeof text === 'string' ? [text] : text) {
    if (hasLeft(stream)) return;
    if (!stream.write(chunk)) await readyAgain(stream);
  }
}

/**
 * Says something to whoever typed the command, on stderr, its commands as they can be copied. What is wider than a terminal
 * goes on below it, in whole words; a log has room for any line.
 */
export async function tell({ stderr, envFile }: World, text: string): Promise<void> {
  const words = asCalled(text, envFile);
  await print(stderr, stderr.isTTY === true ? await flowing(words, widthOf(stderr)) : words);
}

async function flowing(text: string, width: number): Promise<string> {
  const { flowed } = await import('../flowed.ts');
  return text.replace(/^(recon: | *)(.+)\n/gm, (_line, begin: string, rest: string) =>
    flowed(begin, rest, width, { whole: true }),
  );
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
