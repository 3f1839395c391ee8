import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { flowed } from '../../src/flowed.ts';
import { renderTable, type Column } from '../../src/output/table.ts';

test('columns are aligned, without a frame, a colour or blanks at the end', () => {
  const columns = [{ header: 'check' }, { header: 'difference', align: 'right' as const }, { header: 'note' }];
  expect(
    renderTable(columns, [
      ['deposits', '-0.5', ''],
      ['支付', '10000000', 'x'],
    ]),
  ).toBe(['check     difference  note', 'deposits        -0.5', '支付        10000000  x', ''].join('\n'));
});

describe('on a narrow screen', () => {
  const columns: Column[] = [
    { header: 'id' },
    { header: 'amount', align: 'right' },
    { header: '' },
    { header: 'note', wraps: true },
  ];
  const rows = [
    ['3f2a91bc', '-1234.5', 'USDC', 'a word or two that find no room in the line'],
    ['支付', '7', 'USD', ''],
  ];

  test('text goes on below itself', () => {
    expect(renderTable(columns, rows, 50)).toBe(
      [
        'id         amount        note',
        '3f2a91bc  -1234.5  USDC  a word or two that find',
        '                         no room in the line',
        '支付            7  USD',
        '',
      ].join('\n'),
    );
  });

  test('what still finds no room goes on in a line of its own, a currency with its amount', () => {
    expect(renderTable(columns, rows, 30)).toBe(
      [
        'id         amount',
        '    note',
        '3f2a91bc  -1234.5  USDC',
        '    a word or two that find no',
        '    room in the line',
        '支付            7  USD',
        '',
      ].join('\n'),
    );
  });
});

test('flowing text stays behind its prefix, and whole in a pipe', () => {
  expect(flowed('ok  ', 'a word or two that find no room', 30)).toBe('ok  a word or two that find no\n    room\n');
  expect(flowed('ok  ', 'a word or two that find no room', Infinity)).toBe('ok  a word or two that find no room\n');
  const id = 'deposit:0f5a9c1e-0000-4000-8000-000000000001'; // whole where a line of its own can hold it
  expect(flowed('subject    ', id, 48)).toBe(`subject\n  ${id}\n`);
  expect(flowed('subject    ', `${id} and more than that`, 48)).toBe(`subject\n  ${id}\n  and more than that\n`);
  expect(flowed('subject    ', id, 55)).toBe(`subject    ${id}\n`);
  expect(flowed('subject    ', id, 45)).toMatch(/^subject {4}deposit:0f5.*\n {11}\S+\n$/);
});

test('characters that are younger than a library, or stand in no column of their own, move nothing', () => {
  const columns: Column[] = [{ header: 'name' }, { header: 'n', align: 'right' }, { header: 'note' }];
  const names = ['🪙 coin', 'e\u0301', 'सन्दीप', 'ศักดิ์', '支付', '\u001b[31mred\u001b[39m'];
  const text = renderTable(
    columns,
    names.map((name) => [name, '1', 'x']),
  );
  const lines = text.split('\n').slice(1, -1);
  expect(lines.map((line) => stringWidth(line))).toEqual(names.map(() => 13));
  expect(lines.map((line) => line.replace(/ +1 {2}x$/, ''))).toEqual(names);
});

test('a table of many lines is whole', () => {
  const columns: Column[] = [{ header: 'name' }, { header: 'n', align: 'right' }];
  const rows = Array.from({ length: 120 }, (_, at) => [`row ${at}`, '1']);
  const lines = rows.map(([name = '']) => `${name.padEnd(7)}  1`);
  expect(renderTable(columns, rows)).toBe(['name     n', ...lines, ''].join('\n'));
});
