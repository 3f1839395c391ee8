import { expect, test } from 'vitest';
import { listOf } from '../../src/database/list-of.ts';
import { toCsv } from '../../src/output/csv.ts';

async function csvOf(columns: string[], rows: object[]): Promise<string> {
  return (await listOf(toCsv(columns, rows))).join('');
}

async function cellOf(value: unknown): Promise<string> {
  return (await csvOf(['cell'], [{ cell: value }])).split('\r\n').slice(1, -1).join('\r\n');
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
])('%j cannot become a formula', async (value, cell) => {
  expect(await cellOf(value)).toBe(cell);
});

test.each([
  ['-100.000000000001', '-100.000000000001'],
  ['-100.000000000000000001', "'-100.000000000000000001"],
  ['-5', '-5'],
  ['a, b', '"a, b"'],
  ['say "no"', '"say ""no"""'],
  ['two\nlines', '"two\nlines"'],
  ['\u001b[2J\u202egpj\u009b', '\\u001b[2J\\u202egpj\\u009b'],
  [null, ''],
  [undefined, ''],
  [false, 'false'],
  [3, '3'],
  [{ also: ['stuck'] }, '"{""also"":[""stuck""]}"'],
])('%j becomes %s', async (value, cell) => {
  expect(await cellOf(value)).toBe(cell);
});

test('without rows there is still the header', async () => {
  expect(await csvOf(['id', 'kind'], [])).toBe('id,kind\r\n');
});

test('many rows come in parts, each line once', async () => {
  const rows = Array.from({ length: 1_234 }, (_, index) => ({ id: String(index) }));
  const parts = await listOf(toCsv(['id'], rows));
  expect(parts.length).toBeGreaterThan(5);
  expect(parts.join('').split('\r\n')).toEqual(['id', ...rows.map(({ id }) => id), '']);
});
