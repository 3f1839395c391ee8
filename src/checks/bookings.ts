import { query } from '../database/database.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { Cut } from './check.ts';
import { familyStatements, withFamilies } from './proof.ts';

/** A transaction that books a record. */
export interface Booking {
  /** Of the transaction. */
  id: string;
  record_kind: string;
  /** null: it does not say which. */
  record_id: string | null;
}

const bookingsStatement: Statement = {
  relations: ['ledger_transactions'],
  layers: [],
  file: 'transactions.bookings.sql',
};
export const bookingStatements = { bookings: bookingsStatement, ...familyStatements };

/** Whole families of transactions, and the records that they book. */
export interface Families {
  transactions: string[];
  bookings: Booking[];
}

/** The families of these transactions; undefined if they are too many for a list. */
export async function familiesOf(cut: Cut, ids: string[]): Promise<Families | undefined> {
  const transactions = await withFamilies(cut, ids);
  return transactions && { transactions, bookings: await readBookings(cut, transactions) };
}

async function readBookings(cut: Cut, transactions: string[]): Promise<Booking[]> {
  if (transactions.length === 0) return [];
  return query<Booking>(cut.transaction, compose(cut.source, bookingsStatement), bind({ ...cut.params, transactions }));
}

/** The records of one kind that are booked. */
export function recordsOf(bookings: readonly Booking[], recordKind: string): string[] {
  return bookings
    .filter((booking) => booking.record_kind === recordKind)
    .map((booking) => booking.record_id)
    .filter((id) => id !== null);
}

/** The transactions that book a record of one kind and do not say which. */
export function namelessOf(bookings: readonly Booking[], recordKind: string): string[] {
  return bookings
    .filter((booking) => booking.record_kind === recordKind && booking.record_id === null)
    .map(({ id }) => id);
}
