import { Command } from 'commander';
import { expect, test } from 'vitest';
import { readArguments } from './command-line.ts';
import { wholeNumber } from './whole-number.ts';

const program = () => new Command('npm run it --').option('--most <n>', 'how many', wholeNumber(1));

test.each([
  [['--mots', '3'], "unknown option '--mots'. Did you mean --most?"],
  [['--most', '0'], "--most cannot be '0'. It must be a whole number, 1 or more."],
  [['--most'], '--most <n> needs a value.'],
  [['3'], 'too many arguments. Expected 0 arguments but got 1.'],
])('%j is refused as recon refuses it', (args, message) => {
  expect(() => readArguments(program(), args)).toThrow(
    expect.objectContaining({ exitCode: 64, message, hint: '`npm run it -- --help` shows how it is called.' }),
  );
});

test('what is understood is there', () => {
  expect(readArguments(program(), ['--most', '1_000']).opts()).toEqual({ most: 1000 });
});
