// npm run faults             every fault at every moment of a run, and the table of what held: that takes hours
// npm run faults -- --help   some faults, phases or moments; what is kept, to go on with; the table in test/README.md
import { join } from 'node:path';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { aimsOf } from './aims.ts';
import { faults, type FaultName } from './faults.ts';
import { isBroken, KeptTrials } from './kept.ts';
import { phaseNames } from './moments.ts';
import { parseOptions } from './options.ts';
import { againOnSmallDisk, mayHaveSmallDisk, smallDisk } from './small-disk.ts';
import { withStage, type Stage } from './stage.ts';
import { markdown, rowOf, writeReadme } from './table.ts';
import { testedCommit } from '../support/tested-code.ts';
import { attempt, rehearse, type Aim, type Rehearsal } from './trial.ts';

const { only: names, phase: phases, most, keep, readme } = parseOptions(process.argv.slice(2));
const commit = testedCommit();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));
const kept = await KeptTrials.in(keep);
process.exitCode =
  names.includes('disk full') && smallDisk === undefined && mayHaveSmallDisk()
    ? await againOnSmallDisk()
    : await main();

async function main(): Promise<number> {
  const settings = { synchronous_commit: 'on' }; // else what was acknowledged would not survive a crash
  const server = await startPostgres(
    smallDisk === undefined
      ? { inMemory: true, settings }
      : { dataFolder: join(smallDisk, 'data'), settings: { ...settings, max_wal_size: '64MB' } },
  );
  try {
    const template = await createDatabase(server.url, 'recon_template');
    await fillTemplate(template.url);
    return await withStage(server.url, template.name, async (stage) => {
      const rehearsal = await rehearse(stage);
      await strikeAll(stage, rehearsal);
      return report(rehearsal);
    });
  } finally {
    await server.stop();
  }
}

/** Round by round, so that a run of this program that is stopped has tried all of them, everywhere a little. */
async function strikeAll(stage: Stage, rehearsal: Rehearsal): Promise<void> {
  const aims = new Map(names.filter(canBeTried).map((name) => [name, aimsOf(faults[name], rehearsal, phases)]));
  const rounds = Math.min(most, Math.max(0, ...[...aims.values()].map((list) => list.length)));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, list] of aims) {
      const aim = list[round];
      if (stopped) return;
      if (aim !== undefined) await strikeOnce(stage, name, aim, rehearsal);
    }
}

function canBeTried(name: FaultName): boolean {
  if (name !== 'disk full' || smallDisk !== undefined) return true;
  say(`${name}: not tried; it takes a file system of its own, and this machine does not let it be mounted`);
  return false;
}

async function strikeOnce(stage: Stage, name: FaultName, aim: Aim, { books }: Rehearsal): Promise<void> {
  if (kept.isDone(name, aim, commit)) return;
  const trial = await attempt(stage, faults[name], aim, books);
  await kept.add({ name, aim, day: new Date().toISOString().slice(0, 10), commit, trial });
  if (trial !== null && 'broken' in trial)
    say(`${name} (${aim.on ?? 'all'}) at ${aim.place}, when it ${trial.phase}: ${trial.broken}\n`);
}

/** Prints the table. Returns 1 where something did not hold, or nothing was tried. */
async function report(rehearsal: Rehearsal): Promise<number> {
  const rows = new Map(
    names.flatMap((name) => {
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
  return names.some((name) => kept.of(name).some(isBroken)) ? 1 : 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
