import { expect, test } from 'vitest';
import { defuse, restore } from '../src/formula.ts';

test.each(['=1+1', '+1 555', '-2+3', '@SUM(A1)', '\t=1', "'quoted", "''=1", '-5', 'plain', ''])(
  '%j comes back as it was',
  (text) => {
    expect(restore(defuse(text))).toBe(text);
  },
);

test('an apostrophe that stands before nothing dangerous was typed by somebody', () => {
  expect(restore("'tis so")).toBe("'tis so");
  expect(restore("'=1+1")).toBe('=1+1');
});
