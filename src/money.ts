import { Decimal } from 'decimal.js';

/**
 * Decimal arithmetic that is exact for every amount that PostgreSQL's `numeric(36,18)` can hold and for sums of
 * billions of them. decimal.js itself works with 20 significant digits unless it is told otherwise.
 */
const Money = Decimal.clone({ precision: 120, toExpNeg: -9e15, toExpPos: 9e15, defaults: true });

export type Money = Decimal;

/** An exact amount. Takes the text that PostgreSQL or an API gave (`NaN` and `Infinity` too); throws on other text. */
export function money(text: string): Money {
  return new Money(text);
}

export const zero: Money = money('0');

/** Sum of any number of amounts, exact. */
export function sum(amounts: Iterable<Money>): Money {
  let total = zero;
  for (const amount of amounts) total = total.plus(amount);
  return total;
}

/** The larger of two amounts; NaN counts as larger than anything, because nobody knows what it stands for. */
export function larger(left: Money, right: Money): Money {
  if (left.isNaN() || right.isNaN()) return money('NaN');
  return left.greaterThan(right) ? left : right;
}

/** Canonical text: no exponent, no trailing zeros, no negative zero; what JSON, CSV and PostgreSQL get. */
export function toText(amount: Money): string {
  return amount.toFixed();
}
