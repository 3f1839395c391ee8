import { query } from '../database/database.ts';
import { money, toText, type Money } from '../money.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { CurrencyTotals, Cut } from './check.ts';

/** What every `*.totals.sql` of a database check returns, ordered by currency. */
interface TotalsRow {
  currency: string | null;
  compared: string;
  expected_value: string;
  actual_value: string;
  awaited: string;
  awaited_amount: string;
  in_flight: string;
  in_flight_amount: string;
  details: Record<string, unknown>;
}

/** What a check compared. */
export interface Totals {
  compared: number;
  totals: CurrencyTotals[];
  details: Record<string, unknown>;
}

/** Both sides per currency, how many records were compared, and whatever else the check counts. */
export async function readTotals(cut: Cut, statement: Statement): Promise<Totals> {
  const rows = await query<TotalsRow>(cut.transaction, compose(cut.source, statement), bind(cut.params));
  return {
    compared: rows.reduce((compared, row) => compared + Number(row.compared), 0),
    totals: rows.map(toTotals),
    details: Object.fromEntries(rows.filter(hasDetails).map((row) => [row.currency ?? 'all', row.details])),
  };
}

function hasDetails(row: TotalsRow): boolean {
  return Object.keys(row.details).length > 0;
}

function toTotals(row: TotalsRow): CurrencyTotals {
  return {
    currency: row.currency,
    expected: toText(money(row.expected_value)),
    actual: toText(money(row.actual_value)),
    awaited: Number(row.awaited),
    awaitedAmount: toText(money(row.awaited_amount)),
    inFlight: Number(row.in_flight),
    inFlightAmount: toText(money(row.in_flight_amount)),
  };
}

/** The totals of one currency where nothing is awaited and nothing in flight. */
export function settledTotals(currency: string | null, expected: Money, actual: Money): CurrencyTotals {
  const nothing = { awaited: 0, awaitedAmount: '0', inFlight: 0, inFlightAmount: '0' };
  return { currency, expected: toText(expected), actual: toText(actual), ...nothing };
}
