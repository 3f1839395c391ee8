// npm run simulate -- --seed 1 --runs 10000    that many stories, each from its own seed; it stops at the first that fails
// npm run simulate -- --seed 17                plays one again
import { parseArgs } from 'node:util';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { withArenas } from './arena.ts';
import { shrink, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '1' } },
});
const [first, runs] = [Number(values.seed), Number(values.runs)];
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1)
  throw new Error('--seed and --runs are whole numbers.');

let stopped = false;
process.once('SIGINT', () => (stopped = true));

const server = await startPostgres({ settings: { fsync: 'off' } });
try {
  const template = await createDatabase(server.url, 'recon_template');
  await fillTemplate(template.url);
  process.exitCode = await withArenas(server.url, template.name, async (inArena) => {
    for (let seed = first; seed < first + runs; seed += 1) {
      if (stopped) return say(130, `Stopped; go on with --seed ${seed} --runs ${first + runs - seed}`);
      const failure = await simulate(seed, inArena);
      if (failure !== null) {
        say(1, `${failure}\n\nPlay it again: npm run simulate -- --seed ${seed}\nLooking for a smaller story …`);
        return say(1, (await shrink(seed, inArena)) ?? 'It held this time.');
      }
      const played = seed - first + 1;
      if (played % 10 === 0) say(0, `${played} of ${runs} stories, the last from seed ${seed}`);
    }
    return say(0, `${runs} stories from seed ${first} on: recon held in all of them.`);
  });
} finally {
  await server.stop();
}

function say(code: number, text: string): number {
  process.stdout.write(`${text}\n`);
  return code;
}
