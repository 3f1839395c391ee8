import { accountStatements, movedAccounts } from './accounts.ts';
import { changedStatements, changedTransactions } from './changed.ts';
import type { Cut, Window } from './check.ts';
import { ledgerProofStatements } from './ledger-proof.ts';
import { idsOf, list, union, type Suspects } from './proof.ts';

export const ledgerChangeStatements = { ...changedStatements, ...accountStatements };

/**
 * What an hourly run looks at: transactions that changed, waited or are known to be wrong; of the accounts with new
 * entries those that these entries do not explain. Null if that is too much for lists.
 */
export async function changedLedger(cut: Cut, window: Window, known: readonly string[]): Promise<Suspects> {
  const transactions = await changedTransactions(cut, window, known);
  const { moved, differing } = await movedAccounts(cut, window);
  const asked = union([moved, idsOf(known, 'account')]);
  const wrong = asked && (await list(cut, ledgerProofStatements.wrongAccounts, { accounts: asked }));
  const accounts = union([differing, idsOf(known, 'account'), wrong]);
  if (transactions === undefined || accounts === undefined) return null;
  return { transactions, accounts, records: null };
}
