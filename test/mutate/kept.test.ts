import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Fate } from './judge.ts';
import { KeptFates } from './kept.ts';
import { Explanations } from './survivors.ts';
import { mutantsOf } from './targets.ts';

const file = 'sql/checks/zero.sql';
const [mutant, another] = mutantsOf(file);
const { code, change, which } = mutant!;

/** What whoever goes on knows of a mutant that came to this end, with these reasons in survivors.yaml by then. */
async function later(fate: Fate, reasons: readonly string[]): Promise<{ fate: Fate | undefined; stale: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-kept-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kept = join(folder, 'kept.jsonl');
  const explanations = new Explanations(
    JSON.stringify({ [file]: reasons.map((why) => ({ code, change, which: [which], why })) }),
  );
  await (await KeptFates.in(kept, explanations)).add(mutant!, fate);
  const fates = await KeptFates.in(kept, explanations);
  expect(fates.of(another!)).toBeUndefined();
  expect(fates.seenAt([mutant!, another!])).toEqual([expect.stringMatching(/^2\d{3}-\d\d-\d\d \w+/)]);
  const known = fates.of(mutant!);
  return { fate: known, stale: explanations.stale(file, known?.is === 'noticed' ? [] : [mutant!]) };
}

const noticed: Fate = { is: 'noticed', by: 'a test' };
const explained: Fate = { is: 'explained', why: 'it is as good' };
const slower: Fate = { is: 'slower' };

test.each([
  [noticed, [], true],
  [explained, ['it is as good'], true],
  [explained, ['it is better'], false],
  [explained, [], false],
  [slower, [], true],
  [slower, ['it is as good'], false],
  [{ is: 'unexplained' } as const, [], false],
])('whoever goes on with %j, for which the reasons are %j, knows it: %s', async (fate, reasons, isKnown) => {
  expect(await later(fate, reasons)).toEqual({ fate: isKnown ? fate : undefined, stale: [] });
});

test('a reason for what was noticed is told all the same', async () => {
  const { fate, stale } = await later(noticed, ['it is as good']);
  expect(fate).toEqual(noticed);
  expect(stale).toEqual([expect.stringContaining(change)]);
});
