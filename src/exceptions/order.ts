import type { Database, Transaction } from '../database/database.ts';
import { severities } from '../kinds.ts';
import { amountOf } from './filter.ts';

export const sorts = ['severity', 'amount', 'newest', 'oldest'] as const;
export type Sort = (typeof sorts)[number];

interface Key {
  descending: boolean;
  /** Its value in the table of that name. Never null. */
  of: (database: Database | Transaction, row: string) => ReturnType<typeof amountOf>;
}

const newestFirst: Key = { descending: true, of: (database, row) => database`${database(`${row}.created_at`)}` };
const bySeverity: Key = {
  descending: true,
  of: (database, row) => database`array_position(${[...severities]}::text[], ${database(`${row}.severity`)})`,
};
const byAmount: Key = {
  descending: true,
  of: (database, row) => database`coalesce(${amountOf(database, row)}, -1)`,
};
/** No two rows are alike in these. */
const distinct: Key[] = [
  // by code point, as a dry run has them, whatever the collation of the database
  { descending: false, of: (database, row) => database`${database(`${row}.fingerprint`)} collate "C"` },
  { descending: false, of: (database, row) => database`${database(`${row}.id`)}` },
];

const keysOf: Record<Sort, readonly Key[]> = {
  severity: [bySeverity, byAmount, newestFirst, ...distinct],
  amount: [byAmount, ...distinct],
  newest: [newestFirst, ...distinct],
  oldest: [{ ...newestFirst, descending: false }, ...distinct],
};

/** What comes after `order by` in a query over the table `exception`. */
export function ordering(database: Database | Transaction, sort: Sort) {
  return keysOf[sort]
    .map(({ of, descending }) => database`${of(database, 'exception')} ${descending ? database`desc` : database`asc`}`)
    .reduce((all, key) => database`${all}, ${key}`);
}

/** The condition that a row of `exception` comes after the one with that id: what is resolved between two pages moves nothing. */
export function follows(database: Database | Transaction, schema: string, sort: Sort, afterId: string) {
  const keys = keysOf[sort];
  // row by row; a key that descends stands crosswise
  const row = (ascending: string, descending: string) =>
    keys
      .map((key) => key.of(database, key.descending ? descending : ascending))
      .reduce((all, key) => database`${all}, ${key}`);
  return database`
    exists (
      select from ${database(`${schema}.reconciliation_exceptions`)} as last
      where last.id = ${afterId} and (${row('exception', 'last')}) > (${row('last', 'exception')})
    )
  `;
}
