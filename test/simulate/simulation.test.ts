import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { kinds } from '../../src/kinds.ts';
import { withArena } from './arena.ts';
import type { Tally } from './play.ts';
import { describe, groupsOf, simulate } from './simulate.ts';
import { troubles, type Step } from './story.ts';

/** RECON_SEED replays one story; RECON_SEEDS says how many, 200 if unset (`npm run simulate` plays thousands). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '200' } = process.env;
const [first, runs] = replayed === undefined ? [1, Number(count)] : [Number(replayed), 1];

/** How often each step is taken at least in 120 stories from seed 1 on. */
const steps: Record<Step['does'], number> = {
  book: 200,
  finish: 10,
  reverse: 10,
  drift: 8,
  change: 10,
  run: 30,
  wait: 3,
  act: 15,
  mend: 6,
  lose: 5,
  send: 4,
  arrive: 2,
  trouble: 25,
  deafen: 2,
  correct: 5,
  begin: 4,
  commit: 3,
};

/** The same of what came of them. */
const outcomes = {
  'cut off': 2,
  SIGTERM: 2,
  'held back by an open transaction': 3,
  'corrected: balance_drift': 1,
  'corrected: unlinked': 1,
  'circle_balance passed': 1,
  'circle_balance failed': 1,
  'alpaca_balance passed': 1,
  'alpaca_balance failed': 1,
};

/** Every kind of finding but one, which is off unless somebody asks for it. */
const found = kinds
  .filter(({ name }) => name !== 'wrong_entry_count')
  .map(({ name }) => [`found: ${name}`, 1] as const);

test(`${runs} stories from seed ${first} on`, { timeout: 3_600_000 }, async () => {
  const tally: Tally = new Map();
  await withArena(inject('serverUrl'), inject('templateDatabase'), async (inArena) => {
    for (const seeds of groupsOf(first, runs)) {
      const failure = await simulate(seeds, inArena, tally);
      expect(failure && describe(failure)).toBeNull();
    }
  });
  if (first !== 1 || runs < 120) return;
  const troubled = [...troubles.passing, ...troubles.lasting].map(({ at, what }) => [`${at}: ${what}`, 1] as const);
  const wanted = [...Object.entries({ ...steps, ...outcomes }), ...troubled, ...found];
  const tooFew = wanted.filter(([what, times]) => (tally.get(what) ?? 0) < times);
  expect(tooFew, 'what happened less often than that').toEqual([]);
});

test('a database that is lost while a connection is made is no bug: exit 3', async () => {
  const binary = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));
  await withArena(inject('serverUrl'), inject('templateDatabase'), (inArena) =>
    inArena(async ({ line, countdown }) => {
      for (const message of [2, 3, 4]) {
        countdown.strikeAt(message, line.cut);
        const run = spawn(process.execPath, [binary, 'run'], { env: { DATABASE_URL: line.url }, stdio: 'pipe' });
        const said = text(run.stderr);
        await once(run, 'exit');
        countdown.rest();
        line.mend();
        expect([message, run.exitCode, await said]).toEqual([
          message,
          3,
          expect.stringMatching(/cannot be reached|was lost/),
        ]);
      }
    }),
  );
});
