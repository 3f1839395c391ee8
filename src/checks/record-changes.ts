import type { Layer, Relation, Statement } from '../source.ts';
import { namelessOf, recordsOf } from './bookings.ts';
import { changedBookings, changedStatements, waitingTransactions } from './changed.ts';
import type { Cut, Handover, Window } from './check.ts';
import { idsOf, list, union, type Suspects } from './proof.ts';
import { assertNotShrunken, isEmptied } from './shrunken.ts';

/** The statements that find the records of an hourly run. */
export function recordChangeStatements(table: Relation, records: Layer) {
  return {
    ...changedStatements,
    recent: { relations: ['recent_records'], layers: [], file: 'record.recent.sql' },
    present: { relations: [table, 'ledger_transactions'], layers: [records], file: 'record.present.sql' },
    count: { relations: [table], layers: [records], file: 'record.count.sql' },
    waiting: { relations: [table], layers: [records], file: 'record.waiting.sql' },
  } satisfies Record<string, Statement>;
}

type Statements = ReturnType<typeof recordChangeStatements>;

/**
 * The records that an hourly run looks at: those that came, were booked or taken back since the watermark, those that
 * were not final before, and those that are known to be wrong. Null if they are too many for a list, or a table lost all
 * of its rows.
 */
export async function changedRecords(
  cut: Cut,
  window: Window,
  statements: Statements,
  recordKind: string,
  known: readonly string[],
): Promise<Suspects> {
  if (await isEmptied(cut, window, statements.present.relations)) return null;
  const bookings = await changedBookings(cut, window, known);
  const remembered = union([window.waiting, idsOf(known, recordKind)]);
  const asked = union([remembered, idsOf(known, 'transaction')]);
  if (bookings === undefined || remembered === undefined || asked === undefined) return null;
  await assertNotShrunken(cut, window, { ...statements, asked: { records: asked } });
  const records = union([
    await list(cut, statements.recent, { since: window.since }),
    recordsOf(bookings, recordKind),
    remembered,
  ]);
  return records === undefined ? null : { records, transactions: namelessOf(bookings, recordKind), accounts: null };
}

/** Records whose verdict time alone may change: no proof covers them, so they are among the suspects; null for all. */
export async function waitingRecords(
  cut: Cut,
  statements: Statements,
  suspects: Suspects,
): Promise<Handover | undefined> {
  const waiting = union([
    await list(cut, statements.waiting, { records: suspects?.records ?? null }),
    await waitingTransactions(cut), // what they book is not settled either
  ]);
  return waiting && { waiting };
}
