import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Judge } from './judge.ts';
import { Memory } from './memory.ts';
import { Explanations } from './survivors.ts';
import { mutantsOf, project } from './targets.ts';

const file = 'sql/checks/zero.sql';
const [mutant] = mutantsOf(file);
const { code, change, which } = mutant!;

/** What becomes of a mutant that no book tells from the unbroken program. */
function fateOf(
  asked: 'books' | 'no books',
  by: string | undefined,
  reasons: readonly string[],
  now: 'same' | 'more' = 'same',
) {
  const files = new Set([fileURLToPath(new URL(file, project))]);
  const book = { title: 'a book', files, said: [], again: () => Promise.resolve(now) };
  const understands = () => Promise.resolve(true);
  const suite = {
    notices: ({ text }: { text: string }) => Promise.resolve(text === mutant!.text ? by : undefined),
  };
  const explanations = new Explanations(
    JSON.stringify({ [file]: reasons.map((why) => ({ code, change, which: [which], why })) }),
  );
  const questions = {
    asked: asked === 'books' ? [book] : [],
    memory: new Memory(),
    understands,
    close: () => Promise.resolve(),
  };
  return new Judge(questions, suite, explanations).judge(mutant!);
}

const explained = { is: 'explained', why: 'it is as good' };
const noticed = { is: 'noticed', by: 'a test' };

test('a reason is believed where books were asked, and else only of what the tests do not notice', async () => {
  expect(await fateOf('books', 'a test', ['it is as good'])).toEqual(explained);
  expect(await fateOf('no books', 'a test', ['it is as good'])).toEqual(noticed);
  expect(await fateOf('no books', undefined, ['it is as good'])).toEqual(explained);
  expect(await fateOf('books', 'a test', [])).toEqual(noticed);
  expect(await fateOf('books', undefined, [])).toEqual({ is: 'unexplained' });
  expect(await fateOf('books', 'a test', [], 'more')).toEqual({ is: 'slower' });
  expect(await fateOf('books', 'a test', ['it is as good'], 'more')).toEqual(explained);
});
