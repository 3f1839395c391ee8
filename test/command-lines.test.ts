import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { recon } from './support/world.ts';

// What README.md, test/README.md, the pages of deploy/ and crontab.example tell people to type. Without DATABASE_URL a
// command ends with 78 once it is understood, and doctor, which tells that as a problem, with 2: only one that is not
// ends with 64.

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

/** What a person puts in place of the words that stand for something. */
const meant: [placeholder: RegExp, typed: string][] = [
  [/\[|\]|…/g, ''],
  [/\bFILE\b|\/etc\/recon\/env/g, '$FILE'],
  [/\bID\b|<id>/g, '3f2a91bc'],
  [/\bCHECK\b/g, 'deposits'],
  [/\bNAME\b/g, 'Ada'],
  [/\bTEXT\b/g, 'ticket'],
  [/\\\|\S+/g, ''], // the first of several choices
];

/** The command lines of a text, without the word `recon`. */
function commandLinesOf(text: string): string[] {
  const spans = [...text.matchAll(/`recon ([^`]+)`/g)].map(([, line]) => line!);
  const typed = [...text.matchAll(/^(?:\$ recon|npm run (?:--silent )?demo --) ([^#|\n]+)/gm)].map(([, line]) =>
    line!.trim(),
  );
  return [...spans, ...typed, ...furtherCommandsOf(text)];
}

/** "`recon exceptions list` · `show ID`": the other commands of the first column go on with the same noun. */
function furtherCommandsOf(text: string): string[] {
  return [...text.matchAll(/^\| `recon (\S+)[^`]*` · (.*?`) +\|/gm)].flatMap(([, noun, others]) =>
    [...others!.matchAll(/`([^`]+)`/g)].map(([, verb]) => (verb!.startsWith(noun!) ? verb! : `${noun!} ${verb!}`)),
  );
}

async function type(line: string) {
  const folder = await mkdtemp(join(tmpdir(), 'recon-lines-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'env'), 'LOG_LEVEL=silent\n');
  const words = meant.reduce((said, [placeholder, typed]) => said.replace(placeholder, typed), line).trim();
  const argv = words.split(/\s+/).map((word) => word.replace('$FILE', join(folder, 'env')));
  return recon(argv, { env: { USER: 'ada' } });
}

const readme = commandLinesOf(`${await read('README.md')}\n${await read('test/README.md')}`);
const deploy = commandLinesOf(
  (await Promise.all(['runbook.md', 'backup.md', 'kubernetes/README.md'].map((name) => read(`deploy/${name}`)))).join(
    '\n',
  ),
);
const crontab = [...(await read('crontab.example')).matchAll(/^[\d*][^#\n]*? recon (.+?) >/gm)].map(
  ([, line]) => line!,
);

describe('every command line is understood', () => {
  test.each(readme.filter((line) => !line.startsWith('--reset')))('README: recon %s', async (line) => {
    const { exitCode, stderr } = await type(line);
    expect([0, 2, 78], stderr).toContain(exitCode);
  });

  test.each(deploy)('deploy: recon %s', async (line) => {
    const { exitCode, stderr } = await type(line);
    expect([0, 2, 78], stderr).toContain(exitCode);
  });

  test.each(crontab)('crontab.example: recon %s', async (line) => {
    expect(await type(line)).toMatchObject({ exitCode: 78, stdout: '' });
  });

  test('and none is overlooked', () => {
    expect(readme).toEqual(expect.arrayContaining(['exceptions list', 'exceptions show ID', 'migrate down']));
    expect(crontab.map((line) => /--type (\w+)/.exec(line)?.[1])).toEqual(['hourly', 'daily']);
  });
});
