// npm run simulate -- --seed 1 --runs 10000    that many stories, each from its own seed; it stops where one fails
// npm run simulate -- --seed 17                plays one alone
import { Command } from 'commander';
import { readArguments, runProgram } from '../support/command-line.ts';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { wholeNumber } from '../support/whole-number.ts';
import { withArena } from './arena.ts';
import type { Tally } from './play.ts';
import { describe, groupsOf, shrink, simulate, type InArena } from './simulate.ts';

let stopped = false;
process.once('SIGINT', () => (stopped = true));

async function main(args: string[]): Promise<number> {
  const command = new Command('npm run simulate --')
    .description(
      'Plays random stories of a host, its custodians and its people, and holds each run of recon against the truth.',
    )
    .option('--seed <n>', 'of the first story', wholeNumber(1), 1)
    .option('--runs <n>', 'how many stories, each from its own seed', wholeNumber(1), 1);
  const { seed, runs } = readArguments(command, args).opts<{ seed: number; runs: number }>();
  process.stderr.write('Starting a PostgreSQL, then playing; what held is told group by group …\n');
  const server = await startPostgres({ inMemory: true });
  try {
    const template = await createDatabase(server.url, 'recon_template');
    await fillTemplate(template.url);
    return await withArena(server.url, template.name, (inArena) => playAll(seed, runs, inArena));
  } finally {
    await server.stop();
  }
}

/** Group by group. Stops at the first that fails, and with 130 where it is told to. */
async function playAll(first: number, runs: number, inArena: InArena): Promise<number> {
  const tally: Tally = new Map();
  for (const seeds of groupsOf(first, runs)) {
    const failure = await simulate(seeds, inArena, tally);
    if (failure !== null) {
      say(1, `${describe(failure)}\nLooking for less that still fails …\n`);
      return say(1, describe(await shrink(failure, inArena)));
    }
    const next = seeds[0]! + seeds.length;
    const left = first + runs - next;
    if (left > 0) say(0, `${runs - left} of ${runs} stories held. Go on from here: --seed ${next} --runs ${left}`);
    if (left > 0 && stopped) return 130;
  }
  const played = [...tally].map(([what, times]) => `  ${what}: ${times}\n`).toSorted();
  return say(0, `${played.join('')}${runs} stories from seed ${first} on: recon held in all of them.`);
}

function say(code: number, text: string): number {
  process.stdout.write(`${text}\n`);
  return code;
}

await runProgram(main);
