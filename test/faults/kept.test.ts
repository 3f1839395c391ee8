import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KeptTrials, type Kept } from './kept.ts';
import { rowOf } from './table.ts';

const held: Kept = {
  name: 'kill -9',
  aim: { place: 5 },
  day: '2026-11-27',
  commit: 'd5a9bc1',
  trial: { phase: 'stores', end: 'SIGKILL', left: 'its whole result' },
};
const broken: Kept = { ...held, aim: { place: 3 }, trial: { phase: 'begins', broken: 'a secret was shown' } };
const nothing: Kept = { ...held, aim: { place: 8 }, trial: null };

test('what held is not done again by whoever goes on, what did not is, and then counts once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recon-kept-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'kept.jsonl');
  const first = await KeptTrials.in(file);
  for (const kept of [held, broken, nothing]) await first.add(kept);
  const next = await KeptTrials.in(file);
  const isDone = [held, broken, nothing].map(({ name, aim, commit }) => next.isDone(name, aim, commit));
  expect(isDone).toEqual([true, false, true]);
  expect(next.isDone('kill -9', { place: 5, on: 'deposits' }, 'd5a9bc1')).toBe(false);
  expect(next.isDone('kill -9', { place: 5 }, 'aea3e69')).toBe(false);
  await next.add({ ...broken, commit: 'aea3e69', trial: held.trial });
  const last = await KeptTrials.in(file);
  expect(last.of('kill -9')).toHaveLength(3);
  expect(last.isDone('kill -9', broken.aim, 'aea3e69')).toBe(true);
});

test('a row says at how many moments of all it was done, what held, and of which commit', () => {
  const earlier: Kept = { ...held, aim: { place: 1 }, day: '2026-11-26', commit: 'aea3e69' };
  expect(rowOf('kill -9', [earlier, held, broken, nothing], 506)?.slice(2)).toEqual([
    '3 of 505: begins 1, stores 2',
    'SIGKILL 2',
    'its whole result 2',
    'clean 2, **not 1**',
    '2026-11-26 aea3e69, 2026-11-27 d5a9bc1',
  ]);
  expect(rowOf('kill -9', [nothing], 506)).toBeUndefined();
});
