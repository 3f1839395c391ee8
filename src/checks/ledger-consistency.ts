import { zero } from '../money.ts';
import { movedAccounts, type MovedAccounts } from './accounts.ts';
import { ledgerOf, type Books } from './books.ts';
import { waitingTransactions } from './changed.ts';
import type { Cut, Handover, Window } from './check.ts';
import { databaseCheck, type Proof } from './database-check.ts';
import { changedLedger, ledgerChangeStatements } from './ledger-changes.ts';
import { ledgerProofStatements, proveLedger, searchesOfLedger, type LedgerCount } from './ledger-proof.ts';
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
  ways: { prove, searches, change, handOver },
  proofs: { ...ledgerProofStatements, ...ledgerChangeStatements },
});

async function prove(cut: Cut): Promise<Proof> {
  const ledger = await ledgerOf(cut);
  const { suspects, counted } = await proveLedger(ledger, cut.known.ledger_consistency ?? []);
  return {
    cut: ledger.cut,
    suspects,
    // the sums of the proof are the totals, unless an amount that is not finite spoils them
    totals: (read) => (ledger.books.finite() ? Promise.resolve(totalsOf(ledger.books, counted)) : read(null)),
  };
}

async function searches(cut: Cut): Promise<readonly string[]> {
  return searchesOfLedger(await ledgerOf(cut), cut.known.ledger_consistency ?? []);
}

async function change(cut: Cut, window: Window): Promise<Proof> {
  const suspects = await changedLedger(cut, window, cut.known.ledger_consistency ?? []);
  return { cut, suspects, totals: async (read) => withMoved(await read(suspects), await movedAccounts(cut, window)) };
}

/** Of the accounts, all those with new entries were looked at. */
function withMoved(totals: Totals, { moved }: MovedAccounts): Totals {
  return { ...totals, details: { ...totals.details, all: { accounts: moved.length } } };
}

async function handOver(cut: Cut, window: Window): Promise<Handover | undefined> {
  const waiting = await waitingTransactions(cut);
  return waiting && { waiting, checkpoints: (await movedAccounts(cut, window)).checkpoints };
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
