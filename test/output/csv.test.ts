import { expect, test } from 'vitest';
import { toCsv } from '../../src/output/csv.ts';

function cellOf(value: unknown): string {
  return toCsv(['cell'], [{ cell: value }])
    .split('\r\n')
    .slice(1, -1)
    .join('\r\n');
}

test.each([
  ['=1+1', "'=1+1"],
  ['+1 555', "'+1 555"],
  ['-2+3', "'-2+3"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
  ['\n=1', '"\'\n=1"'],
  ['＝1+1', "'＝1+1"],
])('%j cannot become a formula', (value, cell) => {
  expect(cellOf(value)).toBe(cell);
});

test.each([
  ['-100.000000000000000001', '-100.000000000000000001'],
  ['-5', '-5'],
  ['a, b', '"a, b"'],
  ['say "no"', '"say ""no"""'],
  ['two\nlines', '"two\nlines"'],
  [null, ''],
  [undefined, ''],
  [false, 'false'],
  [3, '3'],
  [{ also: ['stuck'] }, '"{""also"":[""stuck""]}"'],
])('%j becomes %s', (value, cell) => {
  expect(cellOf(value)).toBe(cell);
});

test('without rows there is still the header', () => {
  expect(toCsv(['id', 'kind'], [])).toBe('id,kind\r\n');
});
