import { expect, test } from 'vitest';
import { feeOf, notFinal } from '../../src/exceptions/evidence.ts';
import type { InvolvedRecord } from '../../src/exceptions/involved.ts';

const conversion = {
  record_kind: 'conversion_job',
  currency: 'USDC',
  destination_currency: 'USD',
  fees: '1.25',
} as InvolvedRecord;
const withdrawal = { ...conversion, record_kind: 'withdrawal', destination_currency: null };

test.each([
  ['a conversion keeps its fee back from what it pays out', 'USD', [conversion], '1.25'],
  ['not from what it takes in', 'USDC', [conversion], undefined],
  ['any other record from its own currency', 'USDC', [withdrawal], '1.25'],
  ['and not from another', 'USD', [withdrawal], undefined],
  ['one without a fee has none', 'USD', [{ ...conversion, fees: null }], undefined],
  ['of two records nobody knows whose it is', 'USD', [conversion, conversion], undefined],
])('%s', (_, currency, records, fee) => {
  expect(feeOf({ currency }, { records })?.toString()).toBe(fee);
});

test('what is final by now, or younger than what was seen, explains nothing of it', () => {
  const record = (id: string, state: string, createdAt: string | null) =>
    ({ ...withdrawal, id, state, created_at: createdAt }) as InvolvedRecord;
  const records = [
    record('open', 'pending', '2026-03-01T11:00:00Z'),
    record('of no known age', 'pending', null),
    record('settled since', 'settled', '2026-03-01T11:00:00Z'),
    record('younger', 'pending', '2026-03-01T12:00:00.001Z'),
  ];
  const left = notFinal({ last_seen_at: '2026-03-01T12:00:00Z' }, records);
  expect(left.map(({ id }) => id)).toEqual(['open', 'of no known age']);
});
