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

test('what is kept is counted; asked to, it lies in few parts, each in the order of a list, and stays whole', async () => {
  const kept = new KeptFindings();
  const kinds = ['stuck', 'amount_mismatch', 'missing_in_ledger'] as const;
  for (let index = 0; index < 4_100; index += 1)
    kept.add(finding(index, { kind: kinds[index % 3]!, severity: index % 2 === 0 ? 'low' : 'critical' }));
  expect([kept.count(), kept.count('low'), kept.count('medium')]).toEqual([4_100, 2_050, 0]);
  expect([kept.countOf('low', 'stuck'), kept.countOf('medium', 'stuck')]).toEqual([684, 0]);
  const subjects = (rows: FindingColumns[]) => rows.map((row) => row.affected_entity);
  const asFound = subjects(rowsOf(kept.batches()));
  expect(asFound).toEqual(Array.from({ length: 4_100 }, (_, index) => finding(index).subject));
  for (const time of ['first', 'second']) {
    const parts = (await kept.sortedParts()).map((part) => [...part]);
    expect(parts.length, time).toBeLessThan(4);
    for (const part of parts) expect(part, time).toEqual(inListOrder(part));
    expect(subjects(parts.flat()).toSorted(), time).toEqual(asFound);
  }
  expect(subjects(rowsOf(kept.batches())).toSorted()).toEqual(asFound);
});

test('a batch is small enough for one statement, and may be read again', () => {
  const kept = new KeptFindings();
  for (let index = 0; index < 2_000; index += 1) kept.add(finding(index));
  for (const batch of kept.batches()) expect(batch.length).toBeLessThan(500_000);
  expect(rowsOf(kept.batches())).toEqual(rowsOf(kept.batches()));
});

test('nothing is nothing', async () => {
  const none = new KeptFindings();
  expect([none.count(), none.count('low'), [...none.batches()], await none.sortedParts()]).toEqual([0, 0, [], []]);
});
