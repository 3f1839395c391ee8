import { expect, test } from 'vitest';
import type { StoredException } from '../../src/exceptions/exception.ts';
import { invalidEntries } from '../../src/exceptions/invalid-entries.ts';
import type { InvolvedEntry } from '../../src/exceptions/involved.ts';

const id = '00000000-0000-4000-8000-000000000001';
const valid = {
  entry_id: 'e',
  transaction_id: id,
  account_id: 'a',
  entry_type: 'debit',
  amount: '-0.00',
  currency: 'USD',
} as InvolvedEntry;

const about = (subject: string, further: Partial<StoredException> = {}) =>
  ({ kind: 'invalid_amount', affected_entity: subject, currency: null, metadata: {}, ...further }) as StoredException;

test.each([
  [{}, undefined],
  [{ amount: null }, 'its amount is null'],
  [{ amount: 'NaN' }, 'its amount is NaN, no number'],
  [{ amount: '-Infinity' }, 'its amount is infinite (-Infinity)'],
  [{ amount: '-0.01' }, 'its amount is negative (-0.01)'],
  [{ entry_type: 'Debit' }, 'its entry type is “Debit”, neither debit nor credit'],
  [{ currency: null }, 'its currency is null, neither USDC nor USD'],
  [{ account_id: null }, 'it names no account (null)'],
] as const)('of %j it says %s', (fields, reason) => {
  const said = reason === undefined ? [] : [`entry e: ${reason}.`];
  const elsewhere = { ...valid, transaction_id: 'another', amount: 'NaN' };
  expect(invalidEntries(about(`transaction:${id}`), [{ ...valid, ...fields }, elsewhere])).toEqual(said);
});

test('of an entry of no transaction it says what was found, and of another kind nothing', () => {
  const metadata = { account_id: 'a', entry_type: 'credit', amount: '5' };
  expect(invalidEntries(about(`entry:${id}`, { currency: 'USDC', metadata }), [])).toEqual([
    `entry ${id}: it names no transaction (null).`,
  ]);
  const unsaid = { account_id: 'a', amount: '5' };
  expect(invalidEntries(about('entry:null', { currency: 'USDC', metadata: unsaid }), [])).toEqual([
    'entry without an id: its id is null, it names no transaction (null).',
  ]);
  const none = { ...unsaid, entry_type: null };
  expect(invalidEntries(about(`entry:${id}`, { currency: 'USDC', metadata: none }), [])).toEqual([
    `entry ${id}: it names no transaction (null), its entry type is null, neither debit nor credit.`,
  ]);
  const other = about(`transaction:${id}`, { kind: 'zero_amount' });
  expect(invalidEntries(other, [{ ...valid, amount: null }])).toEqual([]);
});
