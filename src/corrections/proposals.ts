import { randomUUID } from 'node:crypto';
import { inReadOnly, inTransaction, type Transaction } from '../database/database.ts';
import { isSamePerson, type Signature } from '../exceptions/actions.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { OperatorError } from '../operator-error.ts';
import { correct, rehearse, type Order } from './attempt.ts';
import { logCorrection, type Outcome } from './record.ts';
import { Failure, Refusal } from './refusal.ts';
import { endProposal, findCorrection, insertCorrection, listCorrections, type StoredCorrection } from './store.ts';
import { howToResume, stoppedSentence, switchOf } from './switch.ts';
import { timeOf, type Desk } from './transaction.ts';

/** A person’s word, with the reason for it. When it was given says the database. */
export interface Word extends Pick<Signature, 'by' | 'host'> {
  note: string | null;
}

/** What a correction of an exception would write now. Throws an OperatorError (2) with the reason why it would not. */
export async function previewOf(desk: Desk, exceptionId: string): Promise<Outcome> {
  return orSaid('It cannot be corrected so', 'Nothing is proposed: put it right by hand.', () =>
    rehearse(desk, { exceptionId, author: { reportId: null } }),
  );
}

/** Puts a correction down for a second person, with the rows as they would be written now. Throws like `previewOf`. */
export async function propose(desk: Desk, exceptionId: string, word: Word): Promise<StoredCorrection> {
  const { database, schema } = desk;
  const { exception, correction, action, amount, currency, rows } = await previewOf(desk, exceptionId);
  const id = randomUUID();
  const proposal = {
    id,
    exception_id: exception.id,
    report_id: null,
    correction: correction.name,
    state: 'proposed' as const,
    action,
    amount,
    currency,
    rows_proposed: [...rows],
    rows_written: [],
    reason: null,
    proposed_by: word.by,
    proposal_note: word.note,
    undoes: null,
  };
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    await assertNoneWaits(transaction, schema, exception.id);
    const at = await timeOf(transaction, desk.world);
    await insertCorrection(transaction, schema, proposal, at);
    await log(transaction, schema, proposal, 'correction_proposed', { ...word, note: word.note ?? action }, at);
  });
  return stored(desk, id);
}

async function assertNoneWaits(transaction: Transaction, schema: string, exceptionId: string): Promise<void> {
  const { corrections } = await listCorrections(transaction, schema, { states: ['proposed'], exceptionId });
  const [waiting] = corrections;
  if (waiting === undefined) return;
  throw new OperatorError(
    2,
    `It is proposed already, by ${waiting.proposed_by}.`,
    `\`recon corrections show ${waiting.id.slice(0, 8)}\``,
  );
}

/** What an approval would write now. Throws an OperatorError (2) with the reason why it would not. */
export async function previewApproval(desk: Desk, proposal: StoredCorrection, word: Word): Promise<Outcome> {
  await assertMayApprove(desk, proposal, word);
  return orSaid(
    'It cannot be approved',
    `It waits on; \`recon corrections reject ${proposal.id.slice(0, 8)}\` ends it.`,
    () => rehearse(desk, orderOf(proposal, word)),
  );
}

/**
 * The word of a second person: the correction is made, if the books still say what was proposed. Else the proposal ends as
 * refused or failed. Throws an OperatorError (2) if that person may not.
 */
export async function approve(desk: Desk, proposal: StoredCorrection, word: Word): Promise<StoredCorrection> {
  await assertMayApprove(desk, proposal, word);
  await correct(desk, orderOf(proposal, word));
  return stored(desk, proposal.id);
}

function orderOf({ id, exception_id: exceptionId, action, rows_proposed: rows }: StoredCorrection, word: Word): Order {
  return { exceptionId, author: { reportId: null, proposalId: id, ...word }, approved: { action, rows: rows ?? [] } };
}

/** The database refuses the same name as well. */
async function assertMayApprove({ database, schema }: Desk, proposal: StoredCorrection, { by }: Word): Promise<void> {
  assertWaiting(proposal);
  const author = proposal.proposed_by;
  if (isSamePerson(by, author)) {
    const also = by === author ? '' : `; ${by} is the same person`;
    throw new OperatorError(2, `${author} proposed it${also}: somebody else has to approve.`, 'Ask a second person.');
  }
  const standing = await inReadOnly(database, (transaction) => switchOf(transaction, schema));
  if (standing.stopped) throw new OperatorError(2, stoppedSentence(standing), howToResume);
}

/** Ends a proposal; also whoever made it may. Throws an OperatorError (2) if it has ended. */
export async function reject(
  { database, schema, world }: Pick<Desk, 'database' | 'schema'> & { world: Pick<Desk['world'], 'asOf'> },
  proposal: StoredCorrection,
  word: Word,
): Promise<StoredCorrection> {
  assertWaiting(proposal);
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    const at = await timeOf(transaction, world);
    const said = { reason: null, decided_by: word.by, decision_note: word.note, rows_written: [] };
    await endProposal(transaction, schema, proposal.id, { state: 'rejected', ...said }, at);
    await log(transaction, schema, proposal, 'correction_rejected', word, at);
  });
  return stored({ database, schema }, proposal.id);
}

/** As it is on record now. */
export function stored({ database, schema }: Pick<Desk, 'database' | 'schema'>, id: string): Promise<StoredCorrection> {
  return inReadOnly(database, (transaction) => findCorrection(transaction, schema, id));
}

function assertWaiting({ id, state, undoes }: StoredCorrection): void {
  if (state === 'proposed' && undoes === null) return;
  throw new OperatorError(
    2,
    `Correction ${id.slice(0, 8)} is ${state}: it waits for nobody.`,
    '`recon corrections list`',
  );
}

function log(
  transaction: Transaction,
  schema: string,
  { id, exception_id: exceptionId }: Pick<StoredCorrection, 'id' | 'exception_id'>,
  event: string,
  { by: actor, host, note }: Word,
  at: string,
): Promise<void> {
  const details = { correction_id: id };
  return logCorrection(transaction, schema, { exceptionId, event, actor, host, note, details, at });
}

/**
 * A reason why not is no fault of the program: it is said to whoever asked, after these words, as an OperatorError (2).
 * `hint` is what to do next where the reason knows nothing better.
 */
export async function orSaid<T>(words: string, hint: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    const next = error instanceof Refusal ? error.hint : undefined;
    throw new OperatorError(2, `${words}: ${error.message}`, next ?? hint, { cause: error });
  }
}
