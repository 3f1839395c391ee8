import { expect, test } from 'vitest';
import type { FindingColumns } from '../../src/exceptions/exception.ts';
import { largestFirst } from '../../src/run/unstored.ts';

function row(kind: string, difference: string | null, stake?: string): FindingColumns {
  return { kind, difference, metadata: stake === undefined ? {} : { stake } } as FindingColumns;
}

// what test/exceptions/many-findings.test.ts cannot have: every kind of amount, and more rows than are read at once
test('a dry run gives the largest first, as a list does, whatever is no number; equal ones in the order in which they come', () => {
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
  ];
  for (const atOnce of [1, 3, 100])
    expect(
      [...largestFirst(() => rows, atOnce)].map((one) => rows.indexOf(one)),
      `${atOnce} at once`,
    ).toEqual([3, 8, 7, 10, 9, 1, 5, 0, 6, 2, 4]);
});
