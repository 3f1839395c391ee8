// npm run simulate -- --seed 1 --runs 10000    that many stories, each from its own seed; it stops where one fails
// npm run simulate -- --seed 17                plays one alone
import { parseArgs } from 'node:util';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { withArena } from './arena.ts';
import type { Tally } from './play.ts';
import { describe, groupsOf, shrink, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '1' } },
});
const [first, runs] = [Number(values.seed), Number(values.runs)];
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1)
  throw new Error('--seed and --runs are whole numbers.');

const tally: Tally = new Map();
let stopped = false;
process.once('SIGINT', () => (stopped = true));

const server = await startPostgres({ inMemory: true });
try {
  const template = await createDatabase(server.url, 'recon_template');
  await fillTemplate(template.url);
  process.exitCode = await withArena(server.url, template.name, async (inArena) => {
    for (const seeds of groupsOf(first, runs)) {
      const failure = await simulate(seeds, inArena, tally);
      if (failure !== null) {
        say(1, `${describe(failure)}\nLooking for less that still fails …\n`);
        return say(1, describe(await shrink(failure, inArena)));
      }
      const next = seeds[0]! + seeds.length;
      const left = first + runs - next;
      if (left > 0) say(0, `${runs - left} of ${runs} stories held. Go on from here: --seed ${next} --runs ${left}`);
      if (stopped) return 130;
    }
    const played = [...tally].map(([what, times]) => `  ${what}: ${times}\n`).toSorted();
    return say(0, `${played.join('')}${runs} stories from seed ${first} on: recon held in all of them.`);
  });
} finally {
  await server.stop();
}

function say(code: number, text: string): number {
  process.stdout.write(`${text}\n`);
  return code;
}
