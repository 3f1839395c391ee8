// npm run faults                           every fault at every moment of a run, and the table of what held
// npm run faults -- --only 'kill -9'       one of them (repeatable)
// npm run faults -- --most 10              each of them at ten moments, spread over all moments of a run
// npm run faults -- --phase stores         only while it stores what it found (repeatable)
// npm run faults -- --keep FILE            goes on where it was stopped: what is in the file is not done again
// npm run faults -- --keep FILE --readme   and writes the rows of what was done into test/README.md
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabase } from '../support/database-server.ts';
import { fillTemplate } from '../support/global-setup.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { faults, isMeant, type Fault, type FaultName } from './faults.ts';
import { KeptTrials } from './kept.ts';
import type { Books } from './held.ts';
import { phaseNames, type Phase } from './moments.ts';
import { againOnSmallDisk, mayHaveSmallDisk, smallDisk } from './small-disk.ts';
import { withStage, type Stage } from './stage.ts';
import { markdown, rowOf, writeReadme } from './table.ts';
import { attempt, rehearse, type Aim, type Rehearsal } from './trial.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(faults) },
    most: { type: 'string', default: 'Infinity' },
    phase: { type: 'string', multiple: true, default: [...phaseNames] },
    keep: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
});
const most = Number(values.most);
if (!(most >= 1)) refuse('--most is a number.');
const names = values.only.map((name) => {
  if (Object.hasOwn(faults, name)) return name as FaultName;
  return refuse(`There is no fault ${name}; there are ${Object.keys(faults).join(', ')}.`);
});

const unknown = values.phase.find((phase) => !phaseNames.includes(phase as Phase));
if (unknown !== undefined) refuse(`There is no phase ${unknown}; there are ${phaseNames.join(', ')}.`);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));
const kept = await KeptTrials.in(values.keep);
process.exitCode =
  names.includes('disk full') && smallDisk === undefined && mayHaveSmallDisk()
    ? await againOnSmallDisk()
    : await main();

async function main(): Promise<number> {
  const options = { dataFolder: join(smallDisk ?? '', 'data'), settings: { max_wal_size: '64MB' } };
  const server = await startPostgres(smallDisk === undefined ? { inMemory: true } : options);
  try {
    const template = await createDatabase(server.url, 'recon_template');
    await fillTemplate(template.url);
    await withStage(server.url, template.name, async (stage) => {
      await strikeAll(stage, await rehearse(stage));
    });
  } finally {
    await server.stop();
  }
  const tried = names.filter((name) => kept.of(name).length > 0);
  const rows = new Map(tried.map((name) => [name, rowOf(name, kept.of(name))]));
  if (tried.length === 0) {
    say('Nothing was tried.');
    return 1;
  }
  process.stdout.write(`${markdown([...rows.values()])}\n`);
  if (values.readme) await writeReadme(rows);
  return tried.some((name) => kept.of(name).some((trial) => 'broken' in trial)) ? 1 : 0;
}

/** Round by round, so that a run of this program that is stopped has tried all of them, everywhere a little. */
async function strikeAll(stage: Stage, rehearsal: Rehearsal): Promise<void> {
  const aims = new Map(names.map((name) => [name, aimsOf(name, rehearsal).slice(0, most)]));
  const rounds = Math.max(...[...aims.values()].map((list) => list.length));
  for (let round = 0; round < rounds; round += 1)
    for (const name of names) {
      const aim = aims.get(name)![round];
      if (stopped) return;
      if (aim !== undefined) await strikeOnce(stage, name, aim, rehearsal.books);
    }
}

async function strikeOnce(stage: Stage, name: FaultName, aim: Aim, books: Books): Promise<void> {
  if (kept.of(name).some(({ place, on }) => place === aim.place && on === aim.on)) return;
  const trial = await attempt(stage, faults[name], aim, books);
  if (trial === null) return; // it spoke less often this time, or nothing could be done then
  await kept.add(name, trial);
  const { place, on = 'all', phase } = trial;
  if ('broken' in trial) say(`${name} (${on}) at ${place}, when it ${phase}: ${trial.broken}\n`);
}

/** Where it is to be done: to each of its objects in turn. */
function aimsOf(name: FaultName, rehearsal: Rehearsal): Aim[] {
  const fault: Fault = faults[name];
  if (name === 'disk full' && smallDisk === undefined) {
    say(`${name}: not tried; it takes a file system of its own, and this machine does not let it be mounted`);
    return [];
  }
  const places = placesOf(fault, rehearsal);
  if (fault.objects === undefined) return places.map((place) => ({ place }));
  const byObject = fault.objects(rehearsal).map((on, index) => {
    const first = index % places.length; // each begins at another moment
    return [...places.slice(first), ...places.slice(0, first)].map((place) => ({ on, place }));
  });
  const turns = Math.max(...byObject.map((aims) => aims.length));
  return Array.from({ length: turns }, (_, turn) => byObject.flatMap((aims) => aims.slice(turn, turn + 1))).flat();
}

/** In an order whose every beginning is spread over all of a run. */
function placesOf(fault: Fault, { moments }: Rehearsal): number[] {
  const meant = fault.at === 'beginning' ? moments.slice(0, 1) : moments.filter(isMeant(fault));
  const goldenRatio = (Math.sqrt(5) - 1) / 2;
  const spread = Array.from(meant.keys(), (index) => ({ place: index + 1, turn: 0 }));
  for (let turn = 1; turn <= 4 * meant.length; turn += 1) {
    const one = spread[Math.floor(((turn * goldenRatio) % 1) * meant.length)]!;
    one.turn ||= turn;
  }
  return spread
    .toSorted((one, other) => one.turn - other.turn)
    .map(({ place }) => place)
    .filter((place) => values.phase.includes(meant[place - 1]!.phase));
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(sentence: string): never {
  say(sentence);
  process.exit(2);
}
