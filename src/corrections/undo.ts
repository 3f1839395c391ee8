import { randomUUID } from 'node:crypto';
import { inTransaction, type Transaction } from '../database/database.ts';
import { subjectOf } from '../exceptions/exception.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { money, toText } from '../money.ts';
import { OperatorError } from '../operator-error.ts';
import { Failure, Refusal } from './correction.ts';
import { movedBy, writeRow, type HostRow } from './host-tables.ts';
import type { Word } from './proposals.ts';
import { logCorrection } from './record.ts';
import type { Site } from './site.ts';
import { findCorrection, insertCorrection, type NewCorrection, type StoredCorrection } from './store.ts';
import { inCorrection, inRehearsal, type Desk } from './transaction.ts';

/**
 * Takes a correction back: a balance moves back by as much as it was moved, a link is taken away, a posting is reversed by
 * compensating entries. Nothing is ever deleted. The exception stays resolved: if something is wrong again, the next run
 * says so. A refusal by the host is on record. Throws an OperatorError (64) for what cannot be undone.
 */
export async function undo(desk: Desk, undone: StoredCorrection, word: Word): Promise<StoredCorrection> {
  assertStands(undone);
  const id = randomUUID();
  const at = word.at.toISOString();
  try {
    await inCorrection(desk, async ({ transaction, site }) => {
      const rows = await takeBack(desk, transaction, site, undone);
      await record(transaction, desk.schema, rowOf(undone, id, word, { state: 'applied', rows, reason: null }), word);
    });
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    const row = rowOf(undone, id, word, { state: 'failed', rows: [], reason: desk.mask(error.message) });
    await inTransaction(desk.database, 'read write', async (transaction) => {
      await lockExceptions(transaction, desk.schema);
      await insertCorrection(transaction, desk.schema, row, at);
    });
  }
  return findCorrection(desk.database, desk.schema, id);
}

/** What that would write now; everything is rolled back. Throws an OperatorError (64) with the reason why it would not. */
export async function previewUndo(desk: Desk, undone: StoredCorrection): Promise<readonly HostRow[]> {
  assertStands(undone);
  try {
    return await inRehearsal(desk, ({ transaction, site }) => takeBack(desk, transaction, site, undone));
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    throw new OperatorError(64, `It cannot be undone: ${error.message}`, undefined, { cause: error });
  }
}

function assertStands({ id, state, undoes, undone_by: by }: StoredCorrection): void {
  if (undoes !== null) throw new OperatorError(64, `${id.slice(0, 8)} undoes a correction: that is not undone again.`);
  if (state !== 'applied')
    throw new OperatorError(64, `Correction ${id.slice(0, 8)} is ${state}: nothing was written.`);
  if (by !== null) throw new OperatorError(64, `Correction ${id.slice(0, 8)} is undone already, by ${by.slice(0, 8)}.`);
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
  const id = randomUUID();
  const entries = written.filter(
    ({ table, after }) => table === 'ledger_entries' && after['transaction_id'] === original,
  );
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
        idempotency_key: `recon-undo-${correctionId}`,
        description: 'recon: a correction taken back',
      },
    },
    ...entries.map(({ after }): HostRow => {
      const side = after['entry_type'] === 'debit' ? 'credit' : 'debit';
      return {
        table: 'ledger_entries',
        id: randomUUID(),
        before: null,
        after: { ...after, transaction_id: id, entry_type: side },
      };
    }),
  ];
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
  const transactions = idsIn(rows, 'ledger_transactions');
  const found = transactions.length === 0 ? [] : await site.findings('ledger_consistency', { transactions });
  const wrong = found.find(({ subject }) => subjectOf(subject).id !== undefined);
  if (wrong !== undefined) throw new Failure(`After it, ${wrong.description}.`);
}

function rowOf(
  { exception_id, correction, action, amount, currency, id: undoes }: StoredCorrection,
  id: string,
  { by, note }: Word,
  { state, rows, reason }: { state: 'applied' | 'failed'; rows: readonly HostRow[]; reason: string | null },
): NewCorrection {
  const made = { id, exception_id, report_id: null, correction, state, action: `undone: ${action}`, amount, currency };
  return { ...made, rows_written: [...rows], reason, proposed_by: by, proposal_note: note, undoes };
}

async function record(transaction: Transaction, schema: string, row: NewCorrection, word: Word): Promise<void> {
  const at = word.at.toISOString();
  await insertCorrection(transaction, schema, row, at);
  await transaction`
    update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    set correction_action = ${row.action}
    where exception.id = ${row.exception_id}
  `;
  await logCorrection(transaction, schema, {
    exceptionId: row.exception_id,
    event: 'correction_undone',
    actor: word.by,
    host: word.host,
    note: word.note,
    details: { correction_id: row.id, undoes: row.undoes },
    at,
  });
}
