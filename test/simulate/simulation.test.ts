import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { withArena } from './arena.ts';
import type { Tally } from './play.ts';
import { describe, groupsOf, simulate } from './simulate.ts';

/** RECON_SEED replays one story; RECON_SEEDS says how many, two hundred if unset (`npm run simulate` plays thousands). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '200' } = process.env;
const [first, runs] = replayed === undefined ? [1, Number(count)] : [Number(replayed), 1];

test(`${runs} stories from seed ${first} on`, { timeout: 3_600_000 }, async () => {
  const tally: Tally = new Map();
  await withArena(inject('serverUrl'), inject('templateDatabase'), async (inArena) => {
    for (const seeds of groupsOf(first, runs)) {
      const failure = await simulate(seeds, inArena, tally);
      expect(failure && describe(failure)).toBeNull();
    }
  });
});

test('a database that is lost while a connection is made is no bug: exit 3', async () => {
  const binary = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));
  await withArena(inject('serverUrl'), inject('templateDatabase'), (inArena) =>
    inArena(async ({ line }) => {
      for (const message of [2, 3, 4]) {
        line.strikeAt(message, line.cut);
        const run = spawn(process.execPath, [binary, 'run'], { env: { DATABASE_URL: line.url }, stdio: 'pipe' });
        const said = text(run.stderr);
        await once(run, 'exit');
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
