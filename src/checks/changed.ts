import type { Statement } from '../source.ts';
import type { Cut, Window } from './check.ts';
import { familyStatements, idsOf, list, union, withFamilies } from './proof.ts';

const changedStatement: Statement = {
  relations: ['ledger_transactions', 'ledger_entries'],
  layers: [],
  file: 'transactions.changed.sql',
};
export const changedStatements = { changedTransactions: changedStatement, ...familyStatements };

/**
 * The transactions that an hourly run looks at: those that came or got an entry since the watermark, and those that
 * the check waits for or has an open exception on, with their families. Undefined if they are too many for a list.
 */
export async function changedTransactions(
  cut: Cut,
  { since }: Window,
  known: readonly string[],
  waiting: readonly string[] = [],
): Promise<string[] | undefined> {
  const changed = cut.shared.changed?.get(since ?? '') ?? list(cut, changedStatement, { since });
  cut.shared.changed ??= new Map<string, typeof changed>();
  cut.shared.changed.set(since ?? '', changed);
  const transactions = union([await changed, waiting, idsOf(known, 'transaction')]);
  return transactions && withFamilies(cut, transactions);
}
