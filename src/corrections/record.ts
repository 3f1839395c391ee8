import { inTransaction, type Transaction } from '../database/database.ts';
import { storableText, toJsonb } from '../database/jsonb.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { addToTotals, counted } from '../metrics/totals.ts';
import type { Correction } from './correction.ts';
import type { HostRow } from './host-tables.ts';
import { endProposal, insertCorrection } from './store.ts';
import { timeOf, type Desk } from './transaction.ts';

/** On whose word a correction is made. */
export type Author =
  | { reportId: string; proposalId?: never }
  | {
      reportId: null;
      /** The proposal that is approved; absent in a rehearsal. */
      proposalId?: string;
      by: string;
      note: string | null;
      host: string;
    };

/** What became of a correction that was tried. */
export interface Outcome {
  id: string;
  exception: StoredException & { id: string };
  correction: Correction;
  state: 'applied' | 'refused' | 'failed';
  action: string;
  /** Exact decimal text. */
  amount: string;
  currency: string | null;
  /** What was written; in a rehearsal what would have been. */
  rows: readonly HostRow[];
  /** Why it was refused, or failed. */
  reason: string | null;
}

/** In the transaction that writes it: the correction, the end of its exception, its log and the totals. */
export async function recordApplied(
  transaction: Transaction,
  schema: string,
  outcome: Outcome,
  author: Author,
  at: string,
): Promise<void> {
  await recordEnd(transaction, schema, outcome, author, at);
  const isMachine = author.reportId !== null;
  const resolved = await transaction`
    update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    set
      auto_corrected = ${isMachine},
      correction_action = ${storableText(outcome.action)},
      resolved_at = ${at},
      resolved_by = ${isMachine ? 'system' : author.by},
      resolution_notes = ${`corrected (${outcome.id}), and the check found nothing more`}
    where exception.id = ${outcome.exception.id} and exception.resolved_at is null
  `;
  if (resolved.count !== 1) throw new Error(`${resolved.count} exceptions were resolved where one was meant.`);
  const labels = { check_type: outcome.exception.check_type };
  if (isMachine)
    await addToTotals(transaction, schema, [counted('reconciliation_exceptions_auto_corrected_total', labels)]);
}

/** What was refused or failed, in a transaction of its own: that of the correction was rolled back. */
export async function recordUnapplied(
  { database, schema, world }: Pick<Desk, 'database' | 'schema' | 'world'>,
  outcome: Outcome,
  author: Author,
): Promise<void> {
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    await recordEnd(transaction, schema, outcome, author, await timeOf(transaction, world));
  });
}

const events = { applied: 'corrected', refused: 'correction_refused', failed: 'correction_failed' } as const;

/** A new row of what a run tried; a proposal that people made ends. */
async function recordEnd(
  transaction: Transaction,
  schema: string,
  outcome: Outcome,
  author: Author,
  at: string,
): Promise<void> {
  const { id, exception, correction, state, action, amount, currency, reason } = outcome;
  const rows = [...outcome.rows];
  if (author.reportId !== null) {
    const made = {
      id,
      exception_id: exception.id,
      report_id: author.reportId,
      correction: correction.name,
      undoes: null,
    };
    const said = { proposed_by: 'system', proposal_note: null, rows_proposed: null };
    const row = { ...made, ...said, state, action, amount, currency, rows_written: rows, reason };
    await insertCorrection(transaction, schema, row, at);
  } else {
    const ending = { state, reason, decided_by: author.by, decision_note: author.note, rows_written: rows };
    await endProposal(transaction, schema, id, ending, at);
  }
  await logCorrection(transaction, schema, {
    exceptionId: exception.id,
    event: events[state],
    actor: author.reportId === null ? author.by : 'system',
    host: author.reportId === null ? author.host : null,
    note: reason ?? action,
    details: { correction_id: id, ...(author.reportId !== null && { report_id: author.reportId }) },
    at,
  });
  const labels = { check_type: exception.check_type, outcome: state === 'applied' ? 'corrected' : state };
  await addToTotals(transaction, schema, [counted('reconciliation_corrections_total', labels)]);
}

/** A line in the log of an exception. */
export async function logCorrection(
  transaction: Transaction,
  schema: string,
  line: {
    exceptionId: string;
    event: string;
    actor: string;
    host: string | null;
    note: string | null;
    details: object;
    at: string;
  },
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, note, details, host, created_at
    )
    values (
      ${line.exceptionId}, ${line.event}, ${line.actor}, ${line.note && storableText(line.note)},
      ${toJsonb(line.details)}::text::jsonb, ${line.host}, ${line.at}
    )
  `;
}
