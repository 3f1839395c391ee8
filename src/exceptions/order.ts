import type { Transaction } from '../database/database.ts';
import { severities } from '../kinds.ts';
import { amountOf } from './filter.ts';

export const sorts = ['severity', 'amount', 'newest', 'oldest'] as const;
export type Sort = (typeof sorts)[number];

interface Key {
  descending: boolean;
  /** Its value in the table of that name. Never null. */
  of: (transaction: Transaction, row: string) => ReturnType<typeof amountOf>;
}

const newestFirst: Key = {
  descending: true,
  of: (transaction, row) => transaction`${transaction(`${row}.created_at`)}`,
};
const bySeverity: Key = {
  descending: true,
  of: (transaction, row) => transaction`array_position(${[...severities]}::text[], ${transaction(`${row}.severity`)})`,
};
const byAmount: Key = {
  descending: true,
  of: (transaction, row) => transaction`coalesce(${amountOf(transaction, row)}, -1)`,
};
/** No two rows are alike in these. */
const distinct: Key[] = [
  // by code point, as a dry run has them, whatever the collation of the database
  { descending: false, of: (transaction, row) => transaction`${transaction(`${row}.fingerprint`)} collate "C"` },
  { descending: false, of: (transaction, row) => transaction`${transaction(`${row}.id`)}` },
];

const keysOf: Record<Sort, readonly Key[]> = {
  severity: [bySeverity, byAmount, newestFirst, ...distinct],
  amount: [byAmount, ...distinct],
  newest: [newestFirst, ...distinct],
  oldest: [{ ...newestFirst, descending: false }, ...distinct],
};

/** What comes after `order by` in a query over the table `exception`. */
export function ordering(transaction: Transaction, sort: Sort) {
  return keysOf[sort]
    .map(
      ({ of, descending }) =>
        transaction`${of(transaction, 'exception')} ${descending ? transaction`desc` : transaction`asc`}`,
    )
    .reduce((all, key) => transaction`${all}, ${key}`);
}

/** The condition that a row of `exception` comes after the one with that id: what is resolved between two pages moves nothing. */
export function follows(transaction: Transaction, schema: string, sort: Sort, afterId: string) {
  const keys = keysOf[sort];
  // row by row; a key that descends stands crosswise
  const row = (ascending: string, descending: string) =>
    keys
      .map((key) => key.of(transaction, key.descending ? descending : ascending))
      .reduce((all, key) => transaction`${all}, ${key}`);
  return transaction`
    exists (
      select from ${transaction(`${schema}.reconciliation_exceptions`)} as last
      where last.id = ${afterId} and (${row('exception', 'last')}) > (${row('last', 'exception')})
    )
  `;
}
