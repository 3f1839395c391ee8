import { Exact, groupBy, totalOrZero, type Host } from './host-tables.ts';
import type { Moment } from './ledger.ts';
import { compare, isValid, postingsOf, recordlessOf, recordsOf, type Compared, type RecordKind } from './records.ts';

/** Both sides per currency: `currency expected / actual, awaited, in flight, not compared`. */
export type Totals = Record<string, string>;

/** Total debits and credits of every entry that can be added up. */
export function ledgerTotals({ entries }: Host): Totals {
  const totals: Totals = {};
  for (const currency of new Set(entries.map((entry) => entry.currency))) {
    const finite = entries.filter((entry) => entry.currency === currency && new Exact(entry.amount ?? NaN).isFinite());
    const [debits, credits] = ['debit', 'credit'].map((side) =>
      totalOrZero(finite.filter(({ entry_type }) => entry_type === side).map(({ amount }) => amount)),
    );
    totals[currency ?? 'none'] = `${plain(debits!)} / ${plain(credits!)}, 0 0, 0 0, 0 0`;
  }
  return totals;
}

interface Line {
  currency: string | null;
  expected?: string;
  actual?: string;
  awaited?: string | null;
  inFlight?: string;
  notCompared?: string;
}

/** Settled records against their postings; what is awaited and what is in flight stand by themselves. */
export function recordTotals(host: Host, kind: RecordKind, moment: Moment, deadline: number): Totals {
  const records = recordsOf(host, kind);
  const postings = postingsOf(host, kind);
  const lines: Line[] = compare(records, postings, moment, deadline).flatMap((record) => {
    const main = record.source.amount === null ? 'destination' : 'source';
    const legs = (['source', 'destination'] as const).filter(
      (leg) => leg === main || record[leg].amount !== null || !record.posted[leg].isZero() || isUnsaid(record, leg),
    );
    return legs.map((leg): Line => {
      const currency = record.currencies[leg];
      const amount = record[leg].amount;
      const posted = record.posted[leg].toString();
      const { state } = record;
      if (state === 'pending')
        return record.overdue || record.posted[leg].isZero() ? { currency } : { currency, inFlight: posted };
      if (state !== 'settled') return { currency, actual: posted };
      if (record.inGrace && record.bookings + record.reversals === 0) return { currency, awaited: amount };
      return {
        currency,
        actual: posted,
        ...(amount !== null && { expected: amount }),
        ...(isUnsaid(record, leg) && { notCompared: posted }),
      };
    });
  });
  const recordless = recordlessOf(postings, records).map(({ currency, amount }): Line => ({
    currency,
    ...(amount !== null && { actual: amount }),
  }));
  return addUp([...lines, ...recordless]);
}

/** Of a completed job that was booked nobody says how much should have arrived. */
function isUnsaid(record: Compared, leg: 'source' | 'destination'): boolean {
  const isBooked = record.state === 'settled' && record.bookings + record.reversals > 0;
  return isBooked && !record.hasOwner && isValid(record) && record[leg].amount === null;
}

function addUp(lines: Line[]): Totals {
  const totals: Totals = {};
  for (const [currency, ofCurrency] of groupBy(lines, (line) => line.currency ?? 'none')) {
    const all = (side: keyof Omit<Line, 'currency'>) =>
      ofCurrency.map((line) => line[side]).filter((amount) => amount !== undefined);
    const sum = (side: Parameters<typeof all>[0]) => plain(totalOrZero(all(side)));
    totals[currency] =
      `${sum('expected')} / ${sum('actual')}, ${all('awaited').length} ${sum('awaited')}, ${all('inFlight').length} ${sum('inFlight')}, ${all('notCompared').length} ${sum('notCompared')}`;
  }
  return totals;
}

function plain(amount: { isZero: () => boolean; toFixed: () => string }): string {
  return amount.isZero() ? '0' : amount.toFixed();
}
