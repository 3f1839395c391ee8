import { query } from '../database/database.ts';
import { tooFew } from '../incomplete.ts';
import { bind, compose, type Layer, type Relation, type Statement } from '../source.ts';
import { namelessOf, recordsOf } from './bookings.ts';
import { changedBookings, changedStatements, waitingTransactions } from './changed.ts';
import type { Cut, Handover, Window } from './check.ts';
import { idsOf, list, union, type Suspects } from './proof.ts';

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
 * were not final before, and those that are known to be wrong. Null if they are too many for a list.
 */
export async function changedRecords(
  cut: Cut,
  window: Window,
  statements: Statements,
  recordKind: string,
  known: readonly string[],
): Promise<Suspects> {
  const bookings = await changedBookings(cut, window, known);
  const remembered = union([window.waiting, idsOf(known, recordKind)]);
  if (bookings === undefined || remembered === undefined) return null;
  await assertNotCut(cut, window, statements, remembered);
  const records = union([
    await list(cut, statements.recent, { since: window.since }),
    recordsOf(bookings, recordKind),
    remembered,
  ]);
  return records === undefined ? null : { records, transactions: namelessOf(bookings, recordKind), accounts: null };
}

/** Where most of what is remembered is gone, the whole is counted, and held to what a run goes by that looks at everything. */
async function assertNotCut(cut: Cut, window: Window, statements: Statements, remembered: string[]): Promise<void> {
  if (remembered.length === 0) return;
  const present = await list(cut, statements.present, { records: remembered });
  if (present === undefined || present.length * 2 >= remembered.length) return;
  const text = compose(cut.source, statements.count);
  const [whole] = await query<{ records: number }>(cut.transaction, text, bind(cut.params));
  const problem = tooFew(whole?.records ?? 0, window.compared);
  if (problem !== undefined) throw problem;
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
