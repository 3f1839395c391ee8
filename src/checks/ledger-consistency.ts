import { zero } from '../money.ts';
import { ledgerOf, type Books } from './books.ts';
import type { Cut } from './check.ts';
import { databaseCheck, type Proof } from './database-check.ts';
import { ledgerProofStatements, proveLedger, type LedgerCount } from './ledger-proof.ts';
import { settledTotals, type Totals } from './totals.ts';

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
  prove,
  proofs: ledgerProofStatements,
});

async function prove(cut: Cut): Promise<Proof> {
  const ledger = await ledgerOf(cut);
  const { suspects, counted } = await proveLedger(ledger, cut.known.ledger_consistency ?? []);
  return {
    cut: ledger.cut,
    suspects,
    // the sums of the proof are the totals, unless an amount that is not finite spoils them
    totals: (ofSuspects) => (ledger.books.finite() ? Promise.resolve(totalsOf(ledger.books, counted)) : ofSuspects()),
  };
}

function totalsOf(books: Books, counted: LedgerCount): Totals {
  const currencies = [...books.entries()];
  return {
    compared: counted.transactions,
    totals: [
      { ...settledTotals(null, zero, zero), inFlight: counted.open },
      ...currencies.map(([currency]) =>
        settledTotals(currency, books.total(currency, 'debit'), books.total(currency, 'credit')),
      ),
    ],
    details: {
      all: { accounts: counted.accounts },
      ...Object.fromEntries(currencies.map(([currency, entries]) => [currency ?? 'none', { entries }])),
    },
  };
}
