import { expect, test } from 'vitest';
import type { FindingColumns } from '../../src/exceptions/exception.ts';
import { inListOrder, merged } from '../../src/exceptions/list-order.ts';
import type { Severity } from '../../src/kinds.ts';

function row(kind: string, difference: string | null, stake?: string, severity: Severity = 'high'): FindingColumns {
  const metadata = stake === undefined ? {} : { stake };
  return { kind, difference, metadata, severity, fingerprint: `deposits/${kind}/` } as FindingColumns;
}

/** So many rows to a part; how many were read of all of them. */
function cut(rows: readonly FindingColumns[], atOnce: number) {
  const read = { count: 0 };
  const parts = Array.from({ length: Math.ceil(rows.length / atOnce) }, function* (_, at) {
    for (const each of inListOrder(rows.slice(at * atOnce, (at + 1) * atOnce))) {
      read.count += 1;
      yield each;
    }
  });
  return { parts, read };
}

// what test/exceptions/many-findings.test.ts cannot have: every kind of amount
test('the most severe come first, then the largest, whatever is no number, then by code point, however they were cut', () => {
  const rows = [
    row('stuck', null, '0'),
    row('balance_drift', '-1.5'),
    row('zero_amount', null),
    row('balance_drift', 'NaN'),
    row('duplicate_account', '7'),
    row('stuck', null, '1.50'),
    row('invalid_record', null, '-0.5'),
    row('balance_drift', '-Infinity'),
    row('invalid_record', null, 'NaN'),
    row('amount_mismatch', '10000000000000000000000000000.000000000000000001'),
    row('amount_mismatch', '-10000000000000000000000000000.000000000000000002'),
    row('stuck', null, '0.1', 'critical'),
    row('stuck', null, '99', 'low'),
    { ...row('stuck', null, '0.2', 'low'), fingerprint: 'deposits/stuck/💶' },
    { ...row('stuck', null, '0.2', 'low'), fingerprint: 'deposits/stuck/\ufffd' },
  ];
  for (const atOnce of [1, 3, 100])
    expect(
      [...merged(cut(rows, atOnce).parts)].map((one) => rows.indexOf(one)),
      `${atOnce} at once`,
    ).toEqual([11, 3, 8, 7, 10, 9, 1, 5, 0, 6, 4, 2, 12, 14, 13]);
});

test('each row is read once, and no more of them than are wanted and one of each part', () => {
  const rows = Array.from({ length: 3_000 }, (_, index) => row('stuck', null, String((index * 7) % 1_000)));
  const whole = cut(rows, 100);
  expect([...merged(whole.parts)]).toHaveLength(3_000);
  expect(whole.read.count).toBe(3_000);

  const first = cut(rows, 100);
  const stakes: unknown[] = [];
  for (const { metadata } of merged(first.parts)) {
    stakes.push(metadata['stake']);
    if (stakes.length === 6) break;
  }
  expect(stakes).toEqual(['999', '999', '999', '998', '998', '998']);
  expect(first.read.count).toBeLessThanOrEqual(30 + 6);
});
