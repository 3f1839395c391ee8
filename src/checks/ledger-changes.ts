import type { Statement } from '../source.ts';
import { accountStatements, movedAccounts } from './accounts.ts';
import { changedStatements, changedTransactions } from './changed.ts';
import type { Cut, Window } from './check.ts';
import { ledgerProofStatements } from './ledger-proof.ts';
import { idsOf, list, union, type Suspects } from './proof.ts';
import { assertNotShrunken, isEmptied } from './shrunken.ts';

export const ledgerChangeStatements = {
  ...changedStatements,
  ...accountStatements,
  present: { relations: ['ledger_transactions', 'ledger_accounts'], layers: [], file: 'ledger.present.sql' },
  count: { relations: ['ledger_transactions'], layers: [], file: 'transactions.count.sql' },
} satisfies Record<string, Statement>;

/**
 * What an hourly run looks at: transactions that changed, waited or are known to be wrong; of the accounts with new
 * entries those that these entries do not explain. Null if that is too much for lists, or a table lost all of its rows.
 */
export async function changedLedger(cut: Cut, window: Window, known: readonly string[]): Promise<Suspects> {
  if (await isEmptied(cut, window, ['ledger_transactions', 'ledger_entries', 'ledger_accounts'])) return null;
  const asked = {
    transactions: [...window.waiting, ...idsOf(known, 'transaction')],
    accounts: idsOf(known, 'account'),
  };
  await assertNotShrunken(cut, window, { ...ledgerChangeStatements, asked });
  const transactions = await changedTransactions(cut, window, known);
  const { moved, differing } = await movedAccounts(cut, window);
  const touched = union([moved, asked.accounts]);
  const wrong = touched && (await list(cut, ledgerProofStatements.wrongAccounts, { accounts: touched }));
  const accounts = union([differing, asked.accounts, wrong]);
  if (transactions === undefined || accounts === undefined) return null;
  return { transactions, accounts, records: null };
}
