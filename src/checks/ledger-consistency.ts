import { databaseCheck } from './database-check.ts';

/** The ledger by itself: every transaction is double entry, every account holds what its entries add up to. */
export const ledgerConsistency = databaseCheck({
  name: 'ledger_consistency',
  summary: 'Every transaction balances per currency; every account stores exactly what its entries add up to.',
  kinds: [
    'orphaned_entry',
    'invalid_amount',
    'empty_transaction',
    'one_sided_transaction',
    'currency_mismatch',
    'unbalanced_transaction',
    'wrong_entry_count',
    'broken_reversal',
    'posted_while_unposted',
    'zero_amount',
    'balance_drift',
    'negative_balance',
    'duplicate_account',
  ],
  relations: ['ledger_accounts', 'ledger_transactions', 'ledger_entries'],
  layers: [],
  stem: 'ledger_consistency',
  params: () => ({}),
});
