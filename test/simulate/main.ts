// npm run simulate -- --seed 1 --runs 10000    that many stories, each from its own seed; it stops where one fails
// npm run simulate -- --seed 17                plays one alone
import { Command } from 'commander';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { wholeNumber } from '../support/whole-number.ts';
import { withArena } from './arena.ts';
import type { Tally } from './play.ts';
import { describe, groupsOf, shrink, simulate } from './simulate.ts';

const { seed: first, runs } = new Command('npm run simulate --')
  .description(
    'Plays random stories of a host, its custodians and its people, and holds each run of recon against the truth.',
  )
  .option('--seed <n>', 'of the first story', wholeNumber(1), 1)
  .option('--runs <n>', 'how many stories, each from its own seed', wholeNumber(1), 1)
  .parse()
  .opts<{ seed: number; runs: number }>();

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
