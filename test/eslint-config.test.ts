import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let eslint: ESLint;

beforeAll(() => {
  eslint = new ESLint({
    cwd: root,
    overrideConfigFile: '.eslint.config.js',
    overrideConfig: [tseslint.configs.disableTypeChecked], // no ban asks for a type, and types take a minute
  });
});

/** What the linter says about `code` if it stood in that file. */
async function saidAbout(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: fileURLToPath(new URL(`../${file}`, import.meta.url)) });
  return result!.messages.map(({ message }) => message);
}

const everywhere: [string, string][] = [
  ['console.log(1);', 'Results go to world.stdout'],
  ["await fetch('http://x');", 'Use world.fetch'],
  ["process.env['HOME'];", 'Read world.env'],
  ['process.exit(1);', 'Throw, or return an exit code'],
  ['process.exitCode = 1;', 'Return an exit code'],
  ["process.stdout.write('x');", 'Write to world.stdout.'],
  ["process.stderr.write('x');", 'Write to world.stderr.'],
  ['process.stdin.resume();', 'Read world.stdin.'],
  ['Date.now();', 'Use world.now()'],
  ['new Date();', 'Use world.now()'],
  ['Math.random();', 'Use world.random().'],
  ["parseFloat('1');", 'Money is never a float'],
  ['(1.5).toFixed(2);', 'Money is never a float'],
  ['export default 1;', 'Export by name'],
  ["const database = { unsafe: String }; database.unsafe('select 1');", 'Values are parameters.'],
  ["import postgres from 'postgres';", 'Only src/database/database.ts imports postgres'],
  ["import { Decimal } from 'decimal.js';", 'Only src/money.ts imports decimal.js'],
  ["import chalk from 'chalk';", 'Colour belongs to src/output.'],
  ["import Table from 'cli-table3';", 'Tables belong to src/output.'],
  ["import { stringify } from 'csv-stringify/sync';", 'CSV belongs to src/output.'],
  ["import nodeFetch from 'node-fetch';", 'only src/world.ts imports node-fetch'],
  ["import { Command } from 'commander';", 'Flags belong to src/commands'],
  ["import { plain } from './output/screen.ts';", 'Rules return data'],
  ["import { print } from './commands/print.ts';", 'Commands call the rules'],
  ["import { recon } from '../test/support/world.ts';", 'The program does not know its tests.'],
];

describe('the linter', { timeout: 120_000 }, () => {
  test('names the right way for everything that is banned', async () => {
    const messages = await saidAbout('src/run/run.ts', everywhere.map(([code]) => code).join('\n'));
    const silent = everywhere.filter(([, message]) => !messages.some((said) => said.includes(message)));
    expect(silent).toEqual([]);
  });

  test('keeps output away from I/O, and lets each thing into its one home', async () => {
    const inOutput = await saidAbout(
      'src/output/table.ts',
      "import chalk from 'chalk';\nimport { withDatabase } from '../database/database.ts';\nimport { print } from '../commands/print.ts';",
    );
    expect(inOutput.some((said) => said.includes('src/output does no I/O'))).toBe(true);
    expect(inOutput.some((said) => said.includes('Commands call the rules'))).toBe(true);
    expect(inOutput.some((said) => said.includes('Colour belongs'))).toBe(false);
    for (const [file, code] of [
      ['src/money.ts', "import { Decimal } from 'decimal.js';\nexport const x = new Decimal('1').toFixed();"],
      ['src/world.ts', 'export const now = Date.now();'],
      ['src/main.ts', "import { Command } from 'commander';\nexport const x = new Command();"],
    ] as const)
      expect(await saidAbout(file, code), file).toEqual([]);
  });
});
