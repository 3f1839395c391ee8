import type { Statement } from '../source.ts';
import { bookingStatements, familiesOf, type Booking, type Families } from './bookings.ts';
import type { Cut, Window } from './check.ts';
import { idsOf, list, union, withFamilies } from './proof.ts';

const changedStatement: Statement = {
  relations: ['ledger_transactions', 'ledger_entries'],
  layers: [],
  file: 'transactions.changed.sql',
};
const waitingStatement: Statement = {
  relations: ['ledger_transactions'],
  layers: [],
  file: 'transactions.waiting.sql',
};
const entriesStatement: Statement = { relations: ['ledger_entries'], layers: [], file: 'entries.transactions.sql' };
export const changedStatements = {
  changedTransactions: changedStatement,
  waitingTransactions: waitingStatement,
  transactionsOfEntries: entriesStatement,
  ...bookingStatements,
};

/**
 * The transactions that an hourly run looks at: those that came or got an entry since the watermark, and those that
 * the check waits for or has an open exception on, with their families. Undefined if they are too many for a list.
 */
export async function changedTransactions(
  cut: Cut,
  window: Window,
  known: readonly string[],
): Promise<string[] | undefined> {
  const changes = await changesSince(cut, window.since);
  const others = union([window.waiting, idsOf(known, 'transaction'), await transactionsOfEntries(cut, known)]);
  return union([changes?.transactions, others && (await withFamilies(cut, others))]);
}

/** An entry that named no transaction may have been given one, which nobody has looked at with it. */
async function transactionsOfEntries(cut: Cut, known: readonly string[]): Promise<string[] | undefined> {
  const entries = idsOf(known, 'entry');
  return entries.length === 0 ? [] : list(cut, entriesStatement, { entries });
}

/**
 * What those transactions book that came or got an entry since the watermark, that were pending, or that have an open
 * exception, in the check of the ledger or in that of the records.
 */
export async function changedBookings(
  cut: Cut,
  window: Window,
  known: readonly string[],
): Promise<Booking[] | undefined> {
  const ofLedger = cut.known.ledger_consistency ?? [];
  const changes = await changesSince(cut, window.since);
  const asked = union([
    window.waiting, // transactions among records: an id names one thing only
    idsOf(known, 'transaction'),
    idsOf(ofLedger, 'transaction'),
    await transactionsOfEntries(cut, ofLedger),
  ]);
  const others = asked && (await familiesOf(cut, asked));
  return changes && others && [...changes.bookings, ...others.bookings];
}

/** Read once for all checks that were verified through the same moment, which most often is every one. */
async function changesSince(cut: Cut, since: string | null): Promise<Families | undefined> {
  return cut.shared.once(readChanges, () => readChanges(cut, since), since ?? '');
}

async function readChanges(cut: Cut, since: string | null): Promise<Families | undefined> {
  const changed = await list(cut, changedStatement, { since });
  return changed && familiesOf(cut, changed);
}

/** Transactions that somebody may still complete. Read once for all checks of a run. */
export async function waitingTransactions(cut: Cut): Promise<string[] | undefined> {
  return cut.shared.once(waitingTransactions, () => list(cut, waitingStatement));
}
