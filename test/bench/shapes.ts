/** What the ledger may look like; prepare.sql, plan.sql and faults.sql make the difference. */
export const shapes = {
  ordinary: 'two entries to a transaction, spread evenly over the users',
  'three-legs': 'every transaction has three entries, two of them on one side',
  'hot-account': 'the account of one user holds 40 % of all entries',
  'known-exceptions': 'ordinary, with 2,000 faults that an earlier run has found',
} as const;

export type Shape = keyof typeof shapes;

export interface LedgerSize {
  entries: number;
  shape: Shape;
}
