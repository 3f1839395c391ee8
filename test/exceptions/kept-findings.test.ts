import { expect, test } from 'vitest';
import type { Finding } from '../../src/checks/check.ts';
import type { FindingColumns } from '../../src/exceptions/exception.ts';
import { KeptFindings } from '../../src/exceptions/kept-findings.ts';
import { inListOrder } from '../../src/exceptions/list-order.ts';

function finding(index: number, given: Partial<Finding> = {}): Finding {
  return {
    check: 'deposits',
    kind: 'missing_in_ledger',
    subject: `deposit:${String(index).padStart(8, '0')}`,
    severity: 'low',
    description: 'a deposit\0 of “Zoë 💶”',
    expected: '0.000000000000000001',
    actual: '0',
    difference: '-0.000000000000000001',
    currency: 'USDC',
    affectedUserId: null,
    metadata: { also: ['stuck'] },
    ...given,
  };
}

function rowsOf(batches: Iterable<string>): FindingColumns[] {
  return [...batches].flatMap((batch) => JSON.parse(batch) as FindingColumns[]);
}

test('what is kept comes back as it was, but for what PostgreSQL does not take', () => {
  const kept = new KeptFindings();
  for (let index = 0; index < 1_234; index += 1) kept.add(finding(index));
  const rows = rowsOf(kept.batches());
  expect(rows).toHaveLength(1_234);
  expect(kept.count()).toBe(1_234);
  expect(rows[777]).toEqual({
    check_type: 'deposits',
    kind: 'missing_in_ledger',
    fingerprint: 'deposits/missing_in_ledger/deposit:00000777',
    severity: 'low',
    description: 'a deposit\ufffd of “Zoë 💶”',
    expected_value: '0.000000000000000001',
    actual_value: '0',
    difference: '-0.000000000000000001',
    currency: 'USDC',
    affected_user_id: null,
    affected_entity: 'deposit:00000777',
    metadata: { also: ['stuck'] },
  });
});

test('what is kept is counted, and lies in few parts, each in the order of a list', () => {
  const kept = new KeptFindings();
  const kinds = ['stuck', 'amount_mismatch', 'missing_in_ledger'] as const;
  for (let index = 0; index < 4_100; index += 1)
    kept.add(finding(index, { kind: kinds[index % 3]!, severity: index % 2 === 0 ? 'low' : 'critical' }));
  expect([kept.count(), kept.count('low'), kept.count('medium')]).toEqual([4_100, 2_050, 0]);
  expect([kept.countOf('low', 'stuck'), kept.countOf('medium', 'stuck')]).toEqual([684, 0]);
  const parts = kept.sortedParts().map((part) => [...part]);
  expect(parts.length).toBeLessThan(4);
  for (const part of parts) expect(part).toEqual(inListOrder(part));
  expect(parts.flat()).toEqual(rowsOf(kept.batches()));
  expect(new Set(parts.flat().map(({ fingerprint }) => fingerprint)).size).toBe(4_100);
});

test('a batch is small enough for one statement, and may be read again', () => {
  const kept = new KeptFindings();
  for (let index = 0; index < 2_000; index += 1) kept.add(finding(index));
  for (const batch of kept.batches()) expect(batch.length).toBeLessThan(500_000);
  expect(rowsOf(kept.batches())).toEqual(rowsOf(kept.batches()));
});

test('nothing is nothing', () => {
  expect([new KeptFindings().count(), [...new KeptFindings().batches()], new KeptFindings().sortedParts()]).toEqual([
    0,
    [],
    [],
  ]);
});
