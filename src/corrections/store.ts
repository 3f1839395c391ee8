import type { CheckName } from '../checks/names.ts';
import type { Transaction } from '../database/database.ts';
import { storableText, toJsonb } from '../database/jsonb.ts';
import { onlyOne, whoseIdBegins } from '../database/only-one.ts';
import { OperatorError } from '../operator-error.ts';
import type { CorrectionName } from './correction.ts';
import type { HostRow } from './host-tables.ts';

export type CorrectionState = 'proposed' | 'rejected' | 'applied' | 'refused' | 'failed';

/** A row of reconciliation_corrections. Amounts are exact decimal text, times RFC 3339 in UTC. */
export interface StoredCorrection {
  id: string;
  exception_id: string;
  /** null: people did it. */
  report_id: string | null;
  correction: CorrectionName;
  state: CorrectionState;
  action: string;
  amount: string;
  currency: string | null;
  /** As somebody proposed them; null: a run made it, or it undoes another. */
  rows_proposed: HostRow[] | null;
  /** Empty unless it is applied. */
  rows_written: HostRow[];
  reason: string | null;
  proposed_by: string;
  proposal_note: string | null;
  decided_by: string | null;
  decision_note: string | null;
  /** The correction that this one takes back. */
  undoes: string | null;
  /** The correction that took this one back. */
  undone_by: string | null;
  created_at: string;
  ended_at: string | null;
  /** Of its exception. */
  check_type: CheckName;
  subject: string | null;
}

/** What is written when a correction begins its life: as a proposal, or ended at once. */
export type NewCorrection = Pick<
  StoredCorrection,
  | 'id'
  | 'exception_id'
  | 'report_id'
  | 'correction'
  | 'state'
  | 'action'
  | 'amount'
  | 'currency'
  | 'rows_proposed'
  | 'rows_written'
  | 'reason'
  | 'proposed_by'
  | 'proposal_note'
  | 'undoes'
>;

export async function insertCorrection(
  transaction: Transaction,
  schema: string,
  row: NewCorrection,
  at: string,
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_corrections`)} (
      id, exception_id, report_id, correction, state, action, amount, currency, rows_proposed, rows_written, reason,
      proposed_by, proposal_note, undoes, created_at, ended_at
    )
    values (
      ${row.id}, ${row.exception_id}, ${row.report_id}, ${row.correction}, ${row.state}, ${storableText(row.action)},
      ${row.amount}, ${row.currency}, ${row.rows_proposed && toJsonb(row.rows_proposed)}::text::jsonb,
      ${toJsonb(row.rows_written)}::text::jsonb, ${row.reason && storableText(row.reason)}, ${row.proposed_by},
      ${row.proposal_note}, ${row.undoes}, ${at}, ${row.state === 'proposed' ? null : at}
    )
  `;
}

/** How a proposal ended. */
export interface Ending {
  state: Exclude<CorrectionState, 'proposed'>;
  reason: string | null;
  decided_by: string;
  decision_note: string | null;
  rows_written: readonly HostRow[];
}

/** Ends a proposal; what it says stands. Throws an OperatorError (2) if somebody else has ended it. */
export async function endProposal(
  transaction: Transaction,
  schema: string,
  id: string,
  ending: Ending,
  at: string,
): Promise<void> {
  const { state, reason, decided_by, decision_note, rows_written: rows } = ending;
  const ended = await transaction`
    update ${transaction(`${schema}.reconciliation_corrections`)} as stored
    set
      state = ${state},
      reason = ${reason && storableText(reason)},
      decided_by = ${decided_by},
      decision_note = ${decision_note},
      rows_written = ${toJsonb(rows)}::text::jsonb,
      ended_at = ${at}
    where stored.id = ${id} and stored.state = 'proposed'
  `;
  if (ended.count === 0)
    throw new OperatorError(2, `Proposal ${id} has ended already.`, `\`recon corrections show ${id.slice(0, 8)}\``);
}

/** Whether the correction of that id was written. */
export async function isApplied(transaction: Transaction, schema: string, id: string): Promise<boolean> {
  const found = await transaction`
    select
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    where correction.id = ${id} and correction.state = 'applied'
  `;
  return found.length === 1;
}

export interface CorrectionFilter {
  states?: readonly CorrectionState[];
  exceptionId?: string;
  reportId?: string;
  /** Only those that wrote one of these rows of the host. */
  rowIds?: readonly string[];
  limit?: number;
}

/** The newest corrections first, with the number of all that match. */
export async function listCorrections(
  transaction: Transaction,
  schema: string,
  { states = [], exceptionId, reportId, rowIds, limit }: CorrectionFilter,
): Promise<{ corrections: StoredCorrection[]; matching: number }> {
  const isMeant = transaction`
    (${states.length === 0} or correction.state = any (${[...states]}::text[]))
    and (${exceptionId ?? null}::uuid is null or correction.exception_id = ${exceptionId ?? null})
    and (${reportId ?? null}::uuid is null or correction.report_id = ${reportId ?? null})
    and (
      ${rowIds === undefined}
      or exists (
        select
        from jsonb_array_elements(correction.rows_written) as written (host_row)
        where written.host_row ->> 'id' = any (${[...(rowIds ?? [])]}::text[])
      )
    )
  `;
  const corrections = await transaction<StoredCorrection[]>`
    select ${columns(transaction, schema)}
    where ${isMeant}
    order by correction.created_at desc, exception.fingerprint, correction.id
    limit ${limit ?? null}::bigint
  `;
  const [count] = await transaction<{ matching: string }[]>`
    select count(*) as matching
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    where ${isMeant}
  `;
  return { corrections: [...corrections], matching: Number(count?.matching) };
}

/** The correction whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function findCorrection(
  transaction: Transaction,
  schema: string,
  idPrefix: string,
): Promise<StoredCorrection> {
  const found = await transaction<StoredCorrection[]>`
    select ${columns(transaction, schema)}
    ${whoseIdBegins(transaction, 'correction.id', idPrefix)}
  `;
  return onlyOne(found, { noun: 'correction', idPrefix, listedBy: '`recon corrections list` shows them.' });
}

function columns(transaction: Transaction, schema: string) {
  return transaction`
    correction.id, correction.exception_id, correction.report_id, correction.correction, correction.state,
    correction.action, correction.amount, correction.currency, correction.rows_proposed, correction.rows_written,
    correction.reason, correction.proposed_by, correction.proposal_note, correction.decided_by,
    correction.decision_note, correction.undoes, undoing.id as undone_by, correction.created_at, correction.ended_at, exception.check_type,
    exception.affected_entity as subject
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      on exception.id = correction.exception_id
    left join ${transaction(`${schema}.reconciliation_corrections`)} as undoing
      on undoing.undoes = correction.id and undoing.state = 'applied'
  `;
}
