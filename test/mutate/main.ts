// npm run mutate -- --keep FILE         breaks whatever there is to break, one thing at a time: that takes hours
// npm run mutate -- sql/checks/header   the files whose paths begin so, or in one of several ways
// npm run mutate -- sql/checks/header.sql:12 sql/checks/header.sql:20-40   these lines
import { Command } from 'commander';
import { askQuestions } from './asked.ts';
import { Choice } from './choice.ts';
import { Judge, type Fate } from './judge.ts';
import { KeptFates } from './kept.ts';
import type { Mutant } from './mutant.ts';
import { serveFiles } from './served.ts';
import { Suite } from './suite.ts';
import { Explanations } from './survivors.ts';

const command = new Command('npm run mutate --')
  .description('Breaks what decides about findings in one place at a time, and says what nobody noticed.')
  .argument(
    '[places...]',
    'only files whose path begins so (sql/checks/header), or lines of one (sql/checks/header.sql:12-20)',
  )
  .option(
    '--keep <file>',
    'go on where it was stopped: what was noticed or explained is in the file, and not tried again',
  )
  .parse();
const places = command.args;
serveFiles();
const choice = new Choice(places);
const files = choice.files();
if (files.length === 0) {
  process.stderr.write(`Nothing that can be broken lies in ${places.join(' or ')}.\n`);
  process.exit(2);
}
const explanations = new Explanations();
const kept = await KeptFates.in(command.opts<{ keep?: string }>().keep, explanations);
const books = await askQuestions(files.some((file) => file.endsWith('.sql')));
const suite = await Suite.open().catch(async (error: unknown) => {
  await books.close();
  throw error;
});
try {
  const judge = new Judge(books.asked, books.memory, suite, explanations);
  const all: Fate[] = [];
  const stale: string[] = [];
  for (const file of files) {
    const fates: Fate[] = [];
    for (const mutant of choice.mutantsOf(file)) {
      const fate = kept.of(mutant) ?? (await tryNow(judge, mutant));
      fates.push(fate);
      if (fate.is === 'explained' || fate.is === 'unexplained') say(tell(mutant, fate));
    }
    if (choice.hasAllOf(file)) stale.push(...explanations.stale(file));
    say(`${file}: ${score(fates)}`);
    all.push(...fates);
  }
  for (const line of stale) say(line);
  say(`All: ${score(all)}`);
  say(`Tried: ${kept.seenAt(files.flatMap((file) => choice.mutantsOf(file))).join(', ')}`);
  process.exitCode = stale.length > 0 || all.some(({ is }) => is === 'unexplained') ? 1 : 0;
} finally {
  await suite.close();
  await books.close();
}

async function tryNow(judge: Judge, mutant: Mutant): Promise<Fate> {
  const fate = await judge.judge(mutant);
  await kept.add(mutant, fate);
  return fate;
}

function tell({ file, line, code, change }: Mutant, fate: Fate): string {
  return `  ${file}:${line}  ${change}\n    in ${code}\n    ${fate.is === 'explained' ? fate.why : 'UNEXPLAINED'}`;
}

function score(fates: readonly Fate[]): string {
  const count = (is: Fate['is']) => fates.filter((fate) => fate.is === is).length;
  const percent = fates.length === 0 ? 100 : Math.floor((1000 * count('noticed')) / fates.length) / 10;
  return `${fates.length} broken, ${count('noticed')} noticed (${percent} %), ${count('slower')} find the same but look at more, ${count('explained')} explained, ${count('unexplained')} unexplained`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
