import { query } from '../database.ts';
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

/** What these transactions book, those that they reverse included; undefined if they are too many for a list. */
export async function bookingsOf(cut: Cut, transactions: string[]): Promise<Booking[] | undefined> {
  const families = await withFamilies(cut, transactions);
  return families && readBookings(cut, families);
}

/** What these transactions themselves book. */
export async function readBookings(cut: Cut, transactions: string[]): Promise<Booking[]> {
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
