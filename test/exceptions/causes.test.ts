import fc from 'fast-check';
import { expect, test } from 'vitest';
import { causesOf, type Case, type Cause, type Item } from '../../src/exceptions/causes.ts';
import { money, toText } from '../../src/money.ts';

const item = (subject: string, amount: string): Item => ({ subject, amount: money(amount) });

function caseOf(expected: string, actual: string, rest: Partial<Case> = {}): Case {
  return {
    expected: money(expected),
    actual: money(actual),
    expectedName: 'entries',
    actualName: 'stored balance',
    currency: 'USDC',
    expectedItems: [],
    actualItems: [],
    fee: null,
    pending: [],
    elsewhere: [],
    ...rest,
  };
}

const entries = [item('entry:a', '20.5'), item('entry:b', '7'), item('entry:c', '-3.25')];

const explained: [title: string, Case, Cause['cause'], sentence: string][] = [
  [
    'an item that is missing',
    caseOf('24.25', '3.75', { expectedItems: entries }),
    'missing_item',
    'entry a of 20.5 USDC is missing from the stored balance.',
  ],
  [
    'an item that was taken away',
    caseOf('24.25', '27.5', { expectedItems: entries }),
    'missing_item',
    'entry c of 3.25 USDC is missing from the stored balance.',
  ],
  [
    'an item counted twice',
    caseOf('24.25', '44.75', { expectedItems: entries }),
    'item_twice',
    'entry a of 20.5 USDC is counted twice in the stored balance.',
  ],
  [
    'an item posted twice',
    caseOf('20', '40', {
      actualName: 'sum of its postings',
      actualItems: [item('entry:x', '20'), item('entry:y', '20')],
    }),
    'item_twice',
    'entry x of 20 USDC stands twice in the sum of its postings: entry y is the same again.',
  ],
  [
    'a debit that stands twice',
    caseOf('30', '20', {
      expectedItems: [item('entry:x', '10'), item('entry:y', '10'), item('entry:z', '10')],
      actualItems: [item('entry:c', '20')],
    }),
    'item_twice',
    'entry x of 10 USDC stands twice in the entries: entry y is the same again.',
  ],
  [
    'a wrong sign',
    caseOf('24.25', '-16.75', { expectedItems: entries }),
    'wrong_sign',
    'entry a of 20.5 USDC was booked with the wrong sign: 2 x 20.5 = 41.',
  ],
  [
    'a posting with the wrong sign',
    caseOf('20', '-20', { actualItems: [item('entry:x', '-20')] }),
    'wrong_sign',
    'entry x of 20 USDC was booked with the wrong sign: 2 x 20 = 40.',
  ],
  ['swapped digits', caseOf('1234.50', '1243.5'), 'swapped_digits', 'Two digits are swapped: 1234.5 and 1243.5.'],
  [
    'swapped digits across the point',
    caseOf('12.5', '15.2'),
    'swapped_digits',
    'Two digits are swapped: 12.5 and 15.2.',
  ],
  [
    'swapped digits, one of them zero',
    caseOf('10.05', '10.50'),
    'swapped_digits',
    'Two digits are swapped: 10.05 and 10.5.',
  ],
  ['a moved point', caseOf('1200', '120'), 'moved_point', 'The decimal point is moved by 1 place: 1200 and 120.'],
  [
    '10^18 for 10^6',
    caseOf('0.0000000000025', '2.5'),
    'moved_point',
    'The decimal point is moved by 12 places: 0.0000000000025 and 2.5.',
  ],
  [
    'a fee',
    caseOf('500', '499.75', { fee: money('0.25') }),
    'fee',
    'The difference is the fee of the record, 0.25 USDC.',
  ],
  ['rounding', caseOf('10.126', '10.13'), 'rounding', '10.126 rounded to 2 decimals is 10.13.'],
  ['rounding on the other side', caseOf('10.12', '10.129'), 'rounding', '10.129 cut off to 2 decimals is 10.12.'],
  [
    'a token of six decimals',
    caseOf('5.000000000000000001', '5'),
    'rounding',
    '5.000000000000000001 rounded to 2 decimals is 5.',
  ],
  [
    'another one the other way round',
    caseOf('0', '55', {
      elsewhere: [{ ...item('deposit:d', '-55'), what: 'missing_in_ledger 1a2b, deposit d of another user,' }],
    }),
    'elsewhere',
    'missing_in_ledger 1a2b, deposit d of another user, differs by -55 USDC, the same the other way round: one may stand in the place of the other.',
  ],
  [
    'one that is pending',
    caseOf('100', '90', { pending: [item('deposit:p', '10'), item('deposit:q', '4')] }),
    'pending_items',
    'deposit p is open or not final, and may stand on one side only: 10 USDC.',
  ],
  [
    'three that are pending',
    caseOf('100', '117.1', {
      pending: [item('deposit:p', '10'), item('deposit:q', '4'), item('deposit:r', '3.1'), item('deposit:s', '90')],
    }),
    'pending_items',
    'deposit p, deposit q, deposit r are open or not final, and may stand on one side only: 10 + 4 + 3.1 = 17.1 USDC.',
  ],
];

test.each(explained)('%s', (_, known, cause, sentence) => {
  expect(causesOf(known).map((each) => [each.cause, each.sentence])).toContainEqual([cause, sentence]);
});

test.each(explained)('%s: not where one digit more differs', (_, known, cause) => {
  for (const off of ['0.0000000000000000017', '-0.0000000000000000017']) {
    const named = causesOf({ ...known, actual: known.actual.plus(money(off)) }).filter((each) => each.cause === cause);
    expect(named.filter(({ cause: each }) => each !== 'rounding')).toEqual([]);
  }
});

test('nothing is named where there is no difference, or none that is a number', () => {
  expect(causesOf(caseOf('5', '5', { expectedItems: [item('entry:a', '0')] }))).toEqual([]);
  expect(causesOf(caseOf('5', 'NaN', { pending: [item('deposit:a', 'NaN')] }))).toEqual([]);
  expect(causesOf(caseOf('5', 'Infinity'))).toEqual([]);
  expect(causesOf(caseOf('0', '5', { actualItems: [item('entry:a', '5')] })), 'one posting is not two').toEqual([]);
});

test('a digit that is lost is no swap', () => {
  for (const [expected, actual] of [
    ['1000', '100'],
    ['1020', '120'],
    ['5', '0.5'],
  ] as const)
    expect(causesOf(caseOf(expected, actual)).map(({ cause }) => cause)).not.toContain('swapped_digits');
});

test('what several things explain equally well is chance', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => item(`deposit:${name}`, '10'));
  expect(causesOf(caseOf('100', '90', { pending: four.slice(0, 3) }))).toHaveLength(3);
  expect(causesOf(caseOf('100', '90', { pending: four }))).toEqual([]);
  const sixtyOne = Array.from({ length: 61 }, (_, index) => item(`deposit:${index}`, String(index + 1)));
  expect(causesOf(caseOf('1000', '999.5', { pending: sixtyOne.slice(1) })), 'of integers no half is made').toEqual([]);
  expect(causesOf(caseOf('100', '99', { pending: sixtyOne })), 'too many to be searched').toEqual([]);
});

test('amounts of 18 decimals and 18 digits before them are compared to the last one', () => {
  const amount = '123456789012345678.000000000000000001';
  const known = (stored: string) => caseOf(amount, stored, { expectedItems: [item('entry:a', amount)] });
  expect(causesOf(known('0')).map(({ cause }) => cause)).toEqual(['missing_item']);
  expect(causesOf(known('0.000000000000000001'))).toEqual([]);
});

test('two swapped digits are found wherever they stand, and only two (random)', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 10n ** 20n, max: 10n ** 21n - 1n }), fc.nat(18), (digits, at) => {
      const text = digits.toString();
      const swapped = text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
      const scaled = (value: string) => toText(money(`${value.slice(0, 12)}.${value.slice(12)}`));
      const named = causesOf(caseOf(scaled(text), scaled(swapped))).map(({ cause }) => cause);
      expect(named.includes('swapped_digits')).toBe(text !== swapped && !swapped.startsWith('0'));
    }),
    { numRuns: 100 },
  );
});
