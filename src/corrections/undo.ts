import { randomUUID } from 'node:crypto';
import { inTransaction, type Transaction } from '../database/database.ts';
import { storableText } from '../database/jsonb.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { addToTotals, counted } from '../metrics/totals.ts';
import { money, toText } from '../money.ts';
import { OperatorError } from '../operator-error.ts';
import { uuidFrom } from '../uuid.ts';
import { isAbout, leftWrong } from './attempt.ts';
import { movedBy, writeRow, type HostRow } from './host-tables.ts';
import { orSaid, stored, type Word } from './proposals.ts';
import { logCorrection } from './record.ts';
import { Failure, Refusal, stateAfter } from './refusal.ts';
import type { Site } from './site.ts';
import { findCorrection, insertCorrection, type StoredCorrection } from './store.ts';
import { inCorrection, inRehearsal, timeOf, type Desk } from './transaction.ts';

/**
 * Takes a correction back: a balance moves back by as much as it was moved, a link is taken away, a posting is reversed by
 * compensating entries. Nothing is ever deleted. The exception stays resolved: if something is wrong again, the next run
 * says so. What a rule or the host refused is on record. Throws an OperatorError (2) for what cannot be undone.
 */
export async function undo(desk: Desk, undone: StoredCorrection, word: Word): Promise<StoredCorrection> {
  assertStands(undone);
  const { database, schema, world } = desk;
  const id = randomUUID();
  try {
    await inCorrection(desk, id, async ({ transaction, site }) => {
      const rows = await takeBack(desk, transaction, site, undone);
      await record(transaction, schema, undone, { id, state: 'applied', rows, reason: null }, word, site.asOf);
    });
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    const end = { id, state: stateAfter(error), rows: [], reason: desk.mask(error.message) };
    await inTransaction(database, 'read write', async (transaction) => {
      await lockExceptions(transaction, schema);
      await record(transaction, schema, undone, end, word, await timeOf(transaction, world));
    });
  }
  return stored(desk, id);
}

/** What that would write now; everything is rolled back. Throws an OperatorError (2) with the reason why it would not. */
export async function previewUndo(desk: Desk, undone: StoredCorrection): Promise<readonly HostRow[]> {
  assertStands(undone);
  return orSaid(
    'It cannot be undone',
    `\`recon corrections show ${undone.id.slice(0, 8)}\` has what was written.`,
    () => inRehearsal(desk, ({ transaction, site }) => takeBack(desk, transaction, site, undone)),
  );
}

function assertStands({ id, state, undoes, undone_by: by }: StoredCorrection): void {
  if (undoes !== null) throw new OperatorError(2, `${id.slice(0, 8)} undoes a correction: that is not undone again.`);
  if (state !== 'applied') throw new OperatorError(2, `Correction ${id.slice(0, 8)} is ${state}: nothing was written.`);
  if (by !== null) throw new OperatorError(2, `Correction ${id.slice(0, 8)} is undone already, by ${by.slice(0, 8)}.`);
}

/** Writes what compensates the rows of a correction, in the state in which the books are now. */
async function takeBack(
  { source, schema }: Desk,
  transaction: Transaction,
  site: Site,
  { id, rows_written: written }: StoredCorrection,
): Promise<readonly HostRow[]> {
  const { undone_by: by } = await findCorrection(transaction, schema, id);
  if (by !== null) throw new Refusal('Somebody else has undone it.');
  const headers = idsIn(written, 'ledger_transactions');
  const accounts = idsIn(written, 'ledger_accounts').sort();
  if (headers.length > 0) await site.lock('ledger_transactions', headers);
  if (accounts.length > 0) await site.lock('ledger_accounts', accounts);
  const balances = accounts.length > 0 ? await site.balances(accounts) : new Map<string, { balance: string }>();
  const rows = [
    ...headers.flatMap((header) => reversalOf(written, header, id)),
    ...written
      .filter(({ table }) => table === 'ledger_accounts')
      .map((row) => movedBack(row, balances.get(row.id)?.balance)),
    ...written.filter(({ table }) => table === 'conversion_jobs').map(turned),
  ];
  for (const row of rows) await writeRow(transaction, source, row, site.asOf);
  await assertBalanced(site, rows);
  return rows;
}

function idsIn(rows: readonly HostRow[], table: HostRow['table']): string[] {
  return rows.filter((row) => row.table === table).map(({ id }) => id);
}

/** As this host reverses: the original becomes `reversed`, and a transaction with its mirrored entries names it. */
function reversalOf(written: readonly HostRow[], original: string, correctionId: string): HostRow[] {
  const header = written.find(({ id }) => id === original);
  const key = `recon-undo-${correctionId}`;
  const id = uuidFrom(key); // as it was shown
  return [
    {
      table: 'ledger_transactions',
      id: original,
      before: { status: header?.after['status'] ?? null },
      after: { status: 'reversed' },
    },
    {
      table: 'ledger_transactions',
      id,
      before: null,
      after: {
        user_id: header?.after['user_id'] ?? null,
        transaction_type: 'reversal',
        reference_id: original,
        reference_type: null,
        status: 'completed',
        idempotency_key: key,
        description: 'recon: a correction taken back',
      },
    },
    ...written
      .filter(({ table, after }) => table === 'ledger_entries' && after['transaction_id'] === original)
      .map((entry) => mirrorOf(entry, key)),
  ];
}

/** The entry of the reversal with that key which takes back this one. */
function mirrorOf({ after }: HostRow, key: string): HostRow {
  const side = after['entry_type'] === 'debit' ? 'credit' : 'debit';
  return {
    table: 'ledger_entries',
    id: uuidFrom(`${key}/${side}`),
    before: null,
    after: { ...after, transaction_id: uuidFrom(key), entry_type: side },
  };
}

/** By as much as it was moved, from where it is now: the host has gone on. */
function movedBack(row: HostRow, stored: string | undefined): HostRow {
  const { id } = row;
  if (stored === undefined) throw new Refusal(`Account ${id} is not there.`);
  const now = money(stored);
  return {
    table: 'ledger_accounts',
    id,
    before: { balance: toText(now) },
    after: { balance: toText(now.minus(money(movedBy(row)))) },
  };
}

function turned({ table, id, before, after }: HostRow): HostRow {
  return { table, id, before: after, after: before ?? {} };
}

/** What was reversed balances and is an exact mirror. That a user’s account is below zero now is told by the next run. */
async function assertBalanced(site: Site, rows: readonly HostRow[]): Promise<void> {
  await site.assertStored(rows);
  const about = { transactions: idsIn(rows, 'ledger_transactions') };
  const found = about.transactions.length === 0 ? [] : await site.findings('ledger_consistency', about);
  const wrong = found.find((finding) => isAbout(finding, [['ledger_consistency', about]]));
  if (wrong !== undefined) throw new Failure(leftWrong(wrong));
}

interface End {
  id: string;
  state: 'applied' | 'refused' | 'failed';
  rows: readonly HostRow[];
  reason: string | null;
}

const ends = {
  applied: { event: 'correction_undone', outcome: 'undone' },
  refused: { event: 'correction_undo_refused', outcome: 'undo_refused' },
  failed: { event: 'correction_undo_failed', outcome: 'undo_failed' },
} as const;

/** The undoing as a row of its own, in the log of the exception and in the totals. */
async function record(
  transaction: Transaction,
  schema: string,
  { id: undoes, exception_id, correction, action: undone, amount, currency, check_type }: StoredCorrection,
  { id, state, rows, reason }: End,
  { by, host, note }: Word,
  at: string,
): Promise<void> {
  const action = `undone: ${undone}`;
  const made = { id, exception_id, report_id: null, correction, state, action, amount, currency, undoes, reason };
  const said = { proposed_by: by, proposal_note: note, rows_proposed: null, rows_written: [...rows] };
  await insertCorrection(transaction, schema, { ...made, ...said }, at);
  if (state === 'applied')
    await transaction`
      update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      set correction_action = ${storableText(action)}
      where exception.id = ${exception_id}
    `;
  await logCorrection(transaction, schema, {
    exceptionId: exception_id,
    event: ends[state].event,
    actor: by,
    host,
    note: reason ?? note,
    details: { correction_id: id, undoes },
    at,
  });
  const labels = { check_type, outcome: ends[state].outcome };
  await addToTotals(transaction, schema, [counted('reconciliation_corrections_total', labels)]);
}
