// npm run faults             every fault at every moment of a run, and the table of what held: that takes hours
// npm run faults -- --help   some faults, phases or moments; what is kept, to go on with; the table in test/README.md
import { join } from 'node:path';
import { runProgram } from '../support/command-line.ts';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { aimsOf } from './aims.ts';
import { faults, type FaultName } from './faults.ts';
import { isBroken, KeptTrials } from './kept.ts';
import { phaseNames } from './moments.ts';
import { parseOptions, type FaultsOptions } from './options.ts';
import { againOnSmallDisk, mayHaveSmallDisk, smallDisk } from './small-disk.ts';
import { withStage, type Stage } from './stage.ts';
import { markdown, rowOf, writeReadme } from './table.ts';
import { testedCommit } from '../support/tested-code.ts';
import { attempt, rehearse, type Aim, type Rehearsal } from './trial.ts';

const commit = testedCommit();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.only.includes('disk full') && smallDisk === undefined && mayHaveSmallDisk()) return againOnSmallDisk();
  const kept = await KeptTrials.in(options.keep);
  return withServer((url, template) =>
    withStage(url, template, async (stage) => {
      const rehearsal = await rehearse(stage);
      await strikeAll({ stage, rehearsal, kept }, options);
      return report(rehearsal, kept, options);
    }),
  );
}

/** On a server whose data survive a crash, with a template for the books. */
async function withServer(body: (url: string, template: string) => Promise<number>): Promise<number> {
  const settings = { synchronous_commit: 'on' }; // else what was acknowledged would not survive a crash
  const server = await startPostgres(
    smallDisk === undefined
      ? { inMemory: true, settings }
      : { dataFolder: join(smallDisk, 'data'), settings: { ...settings, max_wal_size: '64MB' } },
  );
  try {
    const template = await createDatabase(server.url, 'recon_template');
    await fillTemplate(template.url);
    return await body(server.url, template.name);
  } finally {
    await server.stop();
  }
}

interface Trying {
  stage: Stage;
  rehearsal: Rehearsal;
  kept: KeptTrials;
}

/** Round by round, so that a run of this program that is stopped has tried all of them, everywhere a little. */
async function strikeAll(trying: Trying, { only, phase, most }: FaultsOptions): Promise<void> {
  const aims = new Map(only.filter(canBeTried).map((name) => [name, aimsOf(faults[name], trying.rehearsal, phase)]));
  const rounds = Math.min(most, Math.max(0, ...[...aims.values()].map((list) => list.length)));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, list] of aims) {
      const aim = list[round];
      if (stopped) return;
      if (aim !== undefined) await strikeOnce(trying, name, aim);
    }
}

function canBeTried(name: FaultName): boolean {
  if (name !== 'disk full' || smallDisk !== undefined) return true;
  say(`${name}: not tried; it takes a file system of its own, and this machine does not let it be mounted`);
  return false;
}

async function strikeOnce({ stage, rehearsal, kept }: Trying, name: FaultName, aim: Aim): Promise<void> {
  if (kept.isDone(name, aim, commit)) return;
  const trial = await attempt(stage, faults[name], aim, rehearsal.books);
  await kept.add({ name, aim, day: new Date().toISOString().slice(0, 10), commit, trial });
  if (trial !== null && 'broken' in trial)
    say(`${name} (${aim.on ?? 'all'}) at ${aim.place}, when it ${trial.phase}: ${trial.broken}\n`);
}

/** Prints the table. Returns 1 where something did not hold, or nothing was tried. */
async function report(rehearsal: Rehearsal, kept: KeptTrials, { only, readme }: FaultsOptions): Promise<number> {
  const rows = new Map(
    only.flatMap((name) => {
      const row = rowOf(name, kept.of(name), aimsOf(faults[name], rehearsal, phaseNames).length);
      return row === undefined ? [] : [[name, row]];
    }),
  );
  if (rows.size === 0) {
    say('Nothing was tried.');
    return 1;
  }
  process.stdout.write(`${markdown([...rows.values()])}\n`);
  if (readme) await writeReadme(rows);
  return only.some((name) => kept.of(name).some(isBroken)) ? 1 : 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runProgram(main);
