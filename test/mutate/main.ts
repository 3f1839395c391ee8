// npm run mutate -- --keep FILE         breaks whatever there is to break, one thing at a time: that takes hours
// npm run mutate -- sql/checks/header   the files whose paths begin so, or in one of several ways
// npm run mutate -- sql/checks/header.sql:12 sql/checks/header.sql:20-40   these lines
import { Command } from 'commander';
import { OperatorError } from '../../src/operator-error.ts';
import { readArguments, runProgram } from '../support/command-line.ts';
import { askQuestions } from './asked.ts';
import { Choice } from './choice.ts';
import { Judge, type Fate } from './judge.ts';
import { KeptFates } from './kept.ts';
import type { Mutant } from './mutant.ts';
import { serveFiles } from './served.ts';
import { Suite } from './suite.ts';
import { Explanations } from './survivors.ts';

async function main(args: string[]): Promise<number> {
  const command = new Command('npm run mutate --')
    .description('Breaks what decides about findings in one place at a time, and says what nobody noticed.')
    .argument(
      '[places...]',
      'only files whose path begins so (sql/checks/header), or lines of one (sql/checks/header.sql:12-20)',
    )
    .option(
      '--keep <file>',
      'go on where it was stopped: what was noticed or explained is in the file, and not tried again',
    );
  const { args: places } = readArguments(command, args);
  serveFiles();
  for (const place of places) assertHoldsMutants(place);
  const explanations = new Explanations();
  const kept = await KeptFates.in(command.opts<{ keep?: string }>().keep, explanations);
  const choice = new Choice(places);
  process.stderr.write('Asking the unbroken checks first, to have their answers to compare with …\n');
  const questions = await askQuestions(choice.files().some((file) => file.endsWith('.sql')));
  try {
    const suite = await Suite.open();
    try {
      return await breakAll(choice, new Judge(questions, suite, explanations), kept, explanations);
    } finally {
      await suite.close();
    }
  } finally {
    await questions.close();
  }
}

function assertHoldsMutants(place: string): void {
  const choice = new Choice([place]);
  if (choice.files().some((file) => choice.mutantsOf(file).length > 0)) return;
  throw new OperatorError(
    64,
    `Nothing that can be broken lies in ${place}.`,
    'Name a file by its path in the project.',
  );
}

/** Prints what became of each that nobody noticed, and the score. Returns 1 where one of them is not explained. */
async function breakAll(choice: Choice, judge: Judge, kept: KeptFates, explanations: Explanations): Promise<number> {
  const all: Fate[] = [];
  const stale: string[] = [];
  const tried: Mutant[] = [];
  for (const file of choice.files()) {
    const fates: Fate[] = [];
    const explained: Mutant[] = [];
    for (const mutant of choice.mutantsOf(file)) {
      const fate = await fateOf(mutant, judge, kept);
      fates.push(fate);
      if (fate.is !== 'refused') tried.push(mutant);
      if (fate.is === 'explained') explained.push(mutant);
      if (fate.is !== 'refused' && fate.is !== 'noticed') say(tell(mutant, fate));
    }
    if (choice.hasAllOf(file)) stale.push(...explanations.stale(file, explained));
    say(`${file}: ${score(fates)}`);
    all.push(...fates);
  }
  for (const line of stale) say(line);
  say(`All: ${score(all)}`);
  say(`Tried: ${kept.seenAt(tried).join(', ')}`);
  return stale.length > 0 || all.some(({ is }) => is === 'unexplained') ? 1 : 0;
}

async function fateOf(mutant: Mutant, judge: Judge, kept: KeptFates): Promise<Fate> {
  if (await judge.isRefused(mutant)) return { is: 'refused' };
  const known = kept.of(mutant);
  if (known !== undefined) return known;
  const fate = await judge.judge(mutant);
  await kept.add(mutant, fate);
  return fate;
}

function tell({ file, line, code, change }: Mutant, fate: Fate): string {
  const place = `  ${file}:${line}  ${change}`;
  if (fate.is === 'slower') return `${place}  (finds the same, looks at more)`;
  return `${place}\n    in ${code}\n    ${fate.is === 'explained' ? fate.why : 'UNEXPLAINED'}`;
}

function score(fates: readonly Fate[]): string {
  const count = (is: Fate['is']) => fates.filter((fate) => fate.is === is).length;
  const broken = fates.length - count('refused');
  const percent = broken === 0 ? 100 : Math.floor((1000 * count('noticed')) / broken) / 10;
  return [
    `${broken} broken`,
    `${count('noticed')} noticed (${percent} %)`,
    `${count('slower')} find the same but look at more`,
    `${count('explained')} explained`,
    `${count('unexplained')} unexplained; ${count('refused')} refused by PostgreSQL, not counted`,
  ].join(', ');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await runProgram(main);
