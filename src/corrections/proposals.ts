import { randomUUID } from 'node:crypto';
import { inTransaction } from '../database/database.ts';
import { isSamePerson, type Signature } from '../exceptions/actions.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { OperatorError } from '../operator-error.ts';
import { correct, rehearse, type Order, type Outcome } from './attempt.ts';
import { Failure, Refusal } from './correction.ts';
import { logCorrection } from './record.ts';
import { endProposal, findCorrection, insertCorrection, listCorrections, type StoredCorrection } from './store.ts';
import { stoppedSentence, switchOf } from './switch.ts';
import type { Desk } from './transaction.ts';

/** A person’s word, with the reason for it. */
export interface Word extends Signature {
  note: string | null;
}

/** What a correction of an exception would write now. Throws an OperatorError (64) with the reason why it would not. */
export async function previewOf(desk: Desk, exceptionId: string, word: Word): Promise<Outcome> {
  return orSaid(() => rehearse(desk, { exceptionId, author: { reportId: null, ...word } }));
}

/** Puts a correction down for a second person, with the rows as they would be written now. Throws like `previewOf`. */
export async function propose(desk: Desk, exceptionId: string, word: Word): Promise<StoredCorrection> {
  const { database, schema } = desk;
  const { exception, correction, action, amount, currency, rows } = await previewOf(desk, exceptionId, word);
  const id = randomUUID();
  const at = word.at.toISOString();
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    const { corrections: waiting } = await listCorrections(transaction, schema, {
      states: ['proposed'],
      exceptionId: exception.id,
    });
    if (waiting[0] !== undefined)
      throw new OperatorError(
        64,
        `It is proposed already, by ${waiting[0].proposed_by}.`,
        `\`recon corrections show ${waiting[0].id.slice(0, 8)}\``,
      );
    await insertCorrection(
      transaction,
      schema,
      {
        id,
        exception_id: exception.id,
        report_id: null,
        correction: correction.name,
        state: 'proposed',
        action,
        amount,
        currency,
        rows_written: [...rows],
        reason: null,
        proposed_by: word.by,
        proposal_note: word.note,
        undoes: null,
      },
      at,
    );
    await log(transaction, schema, exception.id, 'correction_proposed', { id, note: word.note ?? action }, word);
  });
  return findCorrection(database, schema, id);
}

/** What an approval would write now. Throws an OperatorError (64) with the reason why it would not. */
export async function previewApproval(desk: Desk, proposal: StoredCorrection, word: Word): Promise<Outcome> {
  await assertMayApprove(desk, proposal, word);
  return orSaid(() => rehearse(desk, orderOf(proposal, word)));
}

/**
 * The word of a second person: the correction is made, if the books still say what was proposed. Else the proposal ends as
 * refused or failed. Throws an OperatorError (64) if that person may not.
 */
export async function approve(desk: Desk, proposal: StoredCorrection, word: Word): Promise<StoredCorrection> {
  await assertMayApprove(desk, proposal, word);
  await correct(desk, orderOf(proposal, word));
  return findCorrection(desk.database, desk.schema, proposal.id);
}

function orderOf({ id, exception_id: exceptionId, rows_written: approved }: StoredCorrection, word: Word): Order {
  return { exceptionId, author: { reportId: null, proposalId: id, ...word }, approved };
}

/** The database refuses the same name as well, but for case and spaces only. */
async function assertMayApprove({ database, schema }: Desk, proposal: StoredCorrection, { by }: Word): Promise<void> {
  assertWaiting(proposal);
  if (isSamePerson(by, proposal.proposed_by))
    throw new OperatorError(64, `${by} proposed it: somebody else has to approve.`, 'Ask a second person.');
  const standing = await switchOf(database, schema);
  if (standing.stopped) throw new OperatorError(64, stoppedSentence(standing), '`recon corrections resume`');
}

/** Ends a proposal; also whoever made it may. Throws an OperatorError (64) if it has ended. */
export async function reject(
  { database, schema }: Pick<Desk, 'database' | 'schema'>,
  proposal: StoredCorrection,
  word: Word,
): Promise<StoredCorrection> {
  assertWaiting(proposal);
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    const ending = { state: 'rejected' as const, reason: null, decided_by: word.by, decision_note: word.note };
    await endProposal(transaction, schema, proposal.id, ending, word.at.toISOString());
    const { id, exception_id: exceptionId } = proposal;
    await log(transaction, schema, exceptionId, 'correction_rejected', { id, note: word.note }, word);
  });
  return findCorrection(database, schema, proposal.id);
}

function assertWaiting({ id, state, undoes }: StoredCorrection): void {
  if (state === 'proposed' && undoes === null) return;
  throw new OperatorError(
    64,
    `Correction ${id.slice(0, 8)} is ${state}: it waits for nobody.`,
    '`recon corrections list`',
  );
}

function log(
  transaction: Parameters<typeof logCorrection>[0],
  schema: string,
  exceptionId: string,
  event: string,
  { id, note }: { id: string; note: string | null },
  { by, host, at }: Word,
): Promise<void> {
  const details = { correction_id: id };
  return logCorrection(transaction, schema, {
    exceptionId,
    event,
    actor: by,
    host,
    note,
    details,
    at: at.toISOString(),
  });
}

/** A reason why not is no fault of the program: it is said to whoever asked. */
async function orSaid<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    throw new OperatorError(64, `It cannot be corrected so: ${error.message}`, undefined, { cause: error });
  }
}
