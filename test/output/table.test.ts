import { describe, expect, test } from 'vitest';
import { flowed, renderTable, type Column } from '../../src/output/table.ts';

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
});
