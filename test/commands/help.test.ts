import { describe, expect, test } from 'vitest';
import { exitCodes, strongest } from '../../src/exit-codes.ts';
import { variables } from '../../src/environment/variables.ts';
import { offeredCommands } from '../support/commands.ts';
import { recon } from '../support/world.ts';

describe('recon help', () => {
  test('exit-codes is the table of the program', async () => {
    const { exitCode, stdout, stderr } = await recon(['help', 'exit-codes']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const [table, further] = stdout.split('\n\n');
    expect(further).toMatch(/^9 is Node’s own/);
    const [header, ...rows] = table!.split('\n');
    expect(header).toMatch(/^exit +meaning +try again\?$/);
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual(
      exitCodes.map(({ code, meaning, retry }) => [String(code), meaning, ...(retry === '' ? [] : [retry])]),
    );
  });

  test('environment names every variable with its default', async () => {
    const { exitCode, stdout } = await recon(['help', 'environment']);
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    for (const variable of variables) {
      const line = lines.find((candidate) => candidate.startsWith(`${variable.name} `));
      expect(line, variable.name).toContain(variable.meaning);
      if ('default' in variable) expect(line, variable.name).toContain(` ${variable.default} `);
    }
  });

  test('a command, and what it offers', async () => {
    const { exitCode, stdout } = await recon(['help', 'exceptions', 'resolve']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: recon exceptions resolve \[options\] \[id...\]/);
    expect((await recon(['help'])).stdout).toContain('Commands:');
  });

  test('output says what is printed where', async () => {
    const { exitCode, stdout } = await recon(['help', 'output']);
    expect(exitCode).toBe(0);
    for (const word of ['stdout', 'stderr', '-o json', 'NO_COLOR', '\\u001b']) expect(stdout).toContain(word);
  });

  test('every command has an example, in its help and in `recon help`', async () => {
    const without: string[] = [];
    for (const { path, help, isLast } of await offeredCommands()) {
      if (!isLast && path.length > 0) continue;
      expect((await recon(['help', ...path])).stdout, path.join(' ')).toBe(help);
      expect(help.match(/ --env-file <path> /g), path.join(' ')).toHaveLength(1);
      if (!/^Examples?:\n {2}.*recon /m.test(help)) without.push(path.join(' '));
    }
    expect(without).toEqual([]);
  });

  test.each([
    ['runn', 'There is no help on "runn".\nDid you mean run?'],
    ['exit-code', 'Did you mean exit-codes?'],
    ['nonsense', 'There are exit-codes, environment, output, run, '],
  ])('there is none on %s', async (topic, sentence) => {
    const { exitCode, stdout, stderr } = await recon(['help', topic]);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });

  test.each([[['run', '--help']], [['exceptions', 'list', '--help']], [['--help']]])(
    '%s needs no configuration',
    async (argv) => {
      const { exitCode, stdout, stderr } = await recon(argv);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^Usage: recon/);
    },
  );
});

test.each([
  [[2, 3, 77, 78], 78],
  [[0, 2, 3, 77], 77],
  [[2, 0, 3], 3],
  [[0, 2], 2],
  [[], 0],
] as const)('of %s the strongest exit code is %i', (codes, code) => {
  expect(strongest([...codes])).toBe(code);
});
