import { expect, test } from 'vitest';
import { defuse, restore } from '../src/formula.ts';

test.each([
  '=1+1',
  '+1 555',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  "'quoted",
  "''=1",
  '-5',
  '-0.1234567890123456',
  '1234567890123456',
  'plain',
  '',
])('%j comes back as it was', (text) => {
  expect(restore(defuse(text))).toBe(text);
});

test.each([
  ['123456789012345', '123456789012345'],
  ['-1234567890.12345', '-1234567890.12345'],
  ['0.000000000000000001', '0.000000000000000001'],
  ['1234567890.123456', "'1234567890.123456"],
  ['-0.1234567890123456', "'-0.1234567890123456"],
])('of %s a spreadsheet keeps every digit: %s', (amount, cell) => {
  expect(defuse(amount)).toBe(cell);
});

test('an apostrophe that stands before nothing dangerous was typed by somebody', () => {
  expect(restore("'tis so")).toBe("'tis so");
  expect(restore("'=1+1")).toBe('=1+1');
});
