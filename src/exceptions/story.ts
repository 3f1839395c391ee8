import { undoneOf, type Undone } from '../corrections/figures.ts';
import { refusalOf } from '../corrections/prospect.ts';
import { listCorrections, type StoredCorrection } from '../corrections/store.ts';
import type { Desk } from '../corrections/transaction.ts';
import { inReadOnly, type Transaction } from '../database/database.ts';
import { causesOf, type Cause } from './causes.ts';
import { circumstancesOf } from './circumstances.ts';
import { caseOf, notFinal, untestedOf } from './evidence.ts';
import {
  isOfCustodian,
  type ExceptionEvent,
  type Sighting,
  type StoredException,
  type Successor,
} from './exception.ts';
import { invalidEntries } from './invalid-entries.ts';
import { questionsOf, readInvolved, type Involved } from './involved.ts';
import { findException, historyOf, successorOf } from './store.ts';

/** Everything about one exception. */
export interface Story {
  exception: StoredException & { id: string };
  involved: Involved;
  /** Which entries cannot be added up, and why; empty where that is not what is wrong. */
  invalid_entries: string[];
  /** What it could be. */
  causes: Cause[];
  /** Why one may have been overlooked; null: all that there is was tested. */
  untested: string | null;
  sightings: Sighting[];
  events: ExceptionEvent[];
  /** What it came back as, or became; null: neither. */
  successor: Successor | null;
  /** The correction of it that waits for a second person; null: there is none. */
  proposal: StoredCorrection | null;
  /** Why recon would refuse to correct it as it stands; null: it would not, it could not anyway, or a proposal waits. */
  refusal: string | null;
  /** That its correction was taken back. */
  undone: Undone | null;
  /** The last undoing that wrote one of its transactions; null: there is none. */
  undoing: StoredCorrection | null;
}

/** Tells the whole story of the exception whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function storyOf(desk: Omit<Desk, 'source'>, idPrefix: string, now: Date): Promise<Story> {
  const { database, schema, config } = desk;
  const { exception, waiting } = await inReadOnly(database, async (transaction) => {
    const found = await findException(transaction, schema, idPrefix);
    return { exception: found, waiting: await waitingFor(transaction, schema, found) };
  });
  // no transaction idles while the source answers
  const read = await readInvolved(config, questionsOf(exception.affected_entity, waiting), now.toISOString());
  const involved = isOfCustodian(exception) ? { ...read, records: notFinal(exception, read.records) } : read;
  const told = await inReadOnly(database, async (transaction) => {
    const known = await caseOf(transaction, schema, exception, involved);
    return {
      exception,
      involved,
      invalid_entries: invalidEntries(exception, involved.entries),
      causes: [
        ...circumstancesOf(exception, involved, config.gracePeriodMs),
        ...(known === undefined ? [] : causesOf(known)),
      ],
      untested: known === undefined ? null : untestedOf(known, read),
      ...(await lifeOf(transaction, schema, exception)),
    };
  });
  return { ...told, refusal: told.proposal === null ? await refusalOf(desk, exception) : null };
}

async function lifeOf(transaction: Transaction, schema: string, exception: Story['exception']) {
  const { id: exceptionId } = exception;
  const proposed = { states: ['proposed' as const], exceptionId, limit: 1 };
  const { corrections: proposals } = await listCorrections(transaction, schema, proposed);
  return {
    ...(await historyOf(transaction, schema, exceptionId)),
    successor: (await successorOf(transaction, schema, exceptionId)) ?? null,
    proposal: proposals[0] ?? null,
    undone: await undoneOf(transaction, schema, exceptionId),
    undoing: await undoingOf(transaction, schema, exception),
  };
}

async function undoingOf(transaction: Transaction, schema: string, { metadata }: Story['exception']) {
  const { transactions: rowIds } = metadata;
  if (!Array.isArray(rowIds)) return null; // to look into the rows of every correction takes time
  const { corrections } = await listCorrections(transaction, schema, { rowIds: rowIds.map(String) });
  return corrections.find(({ undoes }) => undoes !== null) ?? null;
}

/** More than that explain nothing. */
const waitingMax = 100;

/** Of a custodian: the records that were not final when a run looked at them last. */
async function waitingFor(transaction: Transaction, schema: string, exception: StoredException): Promise<string[]> {
  if (!isOfCustodian(exception)) return [];
  const rows = await transaction<{ subject_id: string }[]>`
    select waiting.subject_id
    from ${transaction(`${schema}.reconciliation_waiting`)} as waiting
    where waiting.check_type in ('deposits', 'withdrawals', 'conversion_jobs')
    order by waiting.check_type, waiting.subject_id
    limit ${waitingMax}
  `;
  return rows.map((row) => row.subject_id);
}
