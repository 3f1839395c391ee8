import fc from 'fast-check';
import { expect, test } from 'vitest';
import { larger, money, sum, toText } from '../src/money.ts';

/** Amounts of `numeric(36,18)` as a whole number of 10^-18, and their text. */
const units = fc.bigInt({ min: -(10n ** 36n) + 1n, max: 10n ** 36n - 1n });

function textOf(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(19, '0');
  const text = `${digits.slice(0, -18)}.${digits.slice(-18)}`.replace(/\.?0+$/, '');
  return value < 0n && text !== '0' ? `-${text}` : text;
}

test('10^17 keeps 10^-18 beside it, and 2^53 + 1 its last digit', () => {
  expect(toText(sum([money('100000000000000000'), money('0.000000000000000001')]))).toBe(
    '100000000000000000.000000000000000001',
  );
  expect(toText(money('9007199254740993'))).toBe('9007199254740993');
  expect(toText(money('0.1').plus('0.2'))).toBe('0.3');
});

test('sums and differences of any amounts are exact', () => {
  fc.assert(
    fc.property(fc.array(units, { maxLength: 50 }), units, (values, other) => {
      const total = values.reduce((left, right) => left + right, 0n);
      const exact = sum(values.map((value) => money(textOf(value))));
      expect(toText(exact)).toBe(textOf(total));
      expect(toText(exact.minus(money(textOf(other))))).toBe(textOf(total - other));
    }),
    { numRuns: 100 },
  );
});

test('a million amounts of 18 decimals', () => {
  const amount = money('123456789012345678.123456789012345678');
  function* million() {
    for (let count = 0; count < 1_000_000; count += 1) yield amount;
  }
  expect(toText(sum(million()))).toBe('123456789012345678123456.789012345678');
});

test.each([
  ['1.500', '1.5'],
  ['100', '100'],
  ['-0', '0'],
  ['-0.000', '0'],
  ['1e-18', '0.000000000000000001'],
  ['1e21', '1000000000000000000000'],
  ['NaN', 'NaN'],
  ['-Infinity', '-Infinity'],
])('the canonical text of %s is %s', (text, canonical) => {
  expect(toText(money(text))).toBe(canonical);
});

test('what is no amount is refused', () => {
  expect(() => money('twelve')).toThrow();
  expect(() => money('')).toThrow();
});

test('what nobody can tell is larger than anything', () => {
  expect(toText(larger(money('1'), money('2')))).toBe('2');
  expect(toText(larger(money('2'), money('1')))).toBe('2');
  expect(toText(larger(money('NaN'), money('1')))).toBe('NaN');
  expect(toText(larger(money('Infinity'), money('NaN')))).toBe('NaN');
});
