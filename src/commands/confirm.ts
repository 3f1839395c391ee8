import { createInterface } from 'node:readline';
import { OperatorError } from '../operator-error.ts';
import type { World } from '../world.ts';
import { print } from './print.ts';

/**
 * Throws an OperatorError unless a person at a terminal types the word: 2 where they type another, 64 where nobody is there.
 * @param what what would happen, the beginning of a sentence: `This drops tables`
 * @param where the end of the question: `in the schema public`
 */
export async function confirm(word: string, what: string, where: string, world: World): Promise<void> {
  if (world.stdin.isTTY !== true)
    throw new OperatorError(64, `${what}, and nobody can be asked: stdin is no terminal.`, 'Add --yes.');
  await print(world.stderr, `Type "${word}" to go on, ${where}: `);
  if ((await firstLine(world)).trim() !== word) throw new OperatorError(2, 'Not confirmed; nothing was changed.');
}

/** What is typed until Enter; empty at the end of the input. */
async function firstLine({ stdin, signal }: World): Promise<string> {
  const lines = createInterface({ input: stdin, terminal: false, signal });
  try {
    for await (const line of lines) return line;
    signal.throwIfAborted();
    return '';
  } finally {
    lines.close(); // a terminal that is still read would keep the process alive
  }
}
