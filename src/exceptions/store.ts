import type { CheckName } from '../checks/names.ts';
import { rowsOf, type Transaction } from '../database/database.ts';
import { waitForLock } from '../database/held-lock.ts';
import { onlyOne, whoseIdBegins } from '../database/only-one.ts';
import { OperatorError } from '../operator-error.ts';
import type { ExceptionEvent, Sighting, StoredException, Successor } from './exception.ts';
import { matches, type ExceptionFilter } from './filter.ts';
import { follows, ordering, type Sort } from './order.ts';

/** A part of a list. */
export interface Page {
  sort?: Sort;
  /** Only what follows the exception with this id. */
  afterId?: string | undefined;
  limit?: number | undefined;
}

/**
 * Matching exceptions, the most severe and of these the largest first unless told otherwise: the order in which somebody
 * works. A part of them is in memory at a time.
 */
export function streamExceptions(
  transaction: Transaction,
  schema: string,
  filter: ExceptionFilter,
  { sort = 'severity', afterId, limit }: Page = {},
): AsyncGenerator<StoredException> {
  return rowsOf(transaction<StoredException[]>`
    select ${columns(transaction)}
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(transaction, schema, filter)} and ${following(transaction, schema, sort, afterId)}
    order by ${ordering(transaction, sort)}
    limit ${limit ?? null}::bigint
  `);
}

/** How many matching exceptions there are, from the one on that a page begins after. */
export async function countExceptions(
  transaction: Transaction,
  schema: string,
  filter: ExceptionFilter,
  { sort = 'severity', afterId }: Page = {},
): Promise<number> {
  const [count] = await transaction<{ matching: string }[]>`
    select count(*) as matching
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(transaction, schema, filter)} and ${following(transaction, schema, sort, afterId)}
  `;
  return Number(count?.matching);
}

function following(transaction: Transaction, schema: string, sort: Sort, afterId: string | undefined) {
  return afterId === undefined ? transaction`true` : follows(transaction, schema, sort, afterId);
}

/** The exception whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function findException(
  transaction: Transaction,
  schema: string,
  idPrefix: string,
): Promise<StoredException & { id: string }> {
  const found = await transaction<(StoredException & { id: string })[]>`
    select ${columns(transaction)}
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    ${whoseIdBegins(transaction, 'exception.id', idPrefix)}
  `;
  return onlyOne(found, {
    noun: 'exception',
    idPrefix,
    listedBy: '`recon exceptions list --status all` shows every one.',
  });
}

/** How the runs saw an exception, newest first, and what was done with it, oldest first. */
export async function historyOf(
  transaction: Transaction,
  schema: string,
  exceptionId: string,
): Promise<{ sightings: Sighting[]; events: ExceptionEvent[] }> {
  const sightings = await transaction<Sighting[]>`
    select
      finding.report_id, finding.severity, finding.expected_value, finding.actual_value, finding.difference,
      finding.metadata ->> 'stake' as stake, report.started_at as seen_at
    from ${transaction(`${schema}.reconciliation_findings`)} as finding
    inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = finding.report_id
    where finding.exception_id = ${exceptionId}
    order by report.started_at desc, report.id
    limit 20
  `;
  const events = await transaction<ExceptionEvent[]>`
    select happened.event, happened.actor, happened.note, happened.details, happened.host, happened.created_at
    from ${transaction(`${schema}.reconciliation_exception_events`)} as happened
    where happened.exception_id = ${exceptionId}
    order by happened.sequence
  `;
  return { sightings: [...sightings], events: [...events] };
}

/** What took the place of an exception that was resolved: it came back, or became another kind. */
export async function successorOf(
  transaction: Transaction,
  schema: string,
  exceptionId: string,
): Promise<Successor | undefined> {
  const [successor] = await transaction<Successor[]>`
    with
    become as (
      select (happened.details ->> 'successor')::uuid as id
      from ${transaction(`${schema}.reconciliation_exception_events`)} as happened
      where happened.exception_id = ${exceptionId} and happened.event = 'became'
    )
    select later.id, later.kind, coalesce(later.previous_exception_id = ${exceptionId}, false) as is_return
    from ${transaction(`${schema}.reconciliation_exceptions`)} as later
    where later.previous_exception_id = ${exceptionId} or later.id in (select become.id from become)
    order by later.created_at, later.id
    limit 1
  `;
  return successor;
}

function columns(transaction: Transaction) {
  return transaction`
    exception.id, exception.report_id, exception.check_id, exception.check_type, exception.kind,
    exception.fingerprint, exception.severity, exception.description, exception.expected_value,
    exception.actual_value, exception.difference, exception.currency, exception.affected_user_id,
    exception.affected_entity, exception.auto_corrected, exception.correction_action, exception.resolved_at,
    exception.resolved_by, exception.resolution_notes, exception.acknowledged_at, exception.acknowledged_by,
    exception.assignee, exception.snoozed_until, exception.accepted_until, exception.last_report_id, exception.last_seen_at,
    exception.occurrences, exception.previous_exception_id, exception.metadata, exception.created_at
  `;
}

/** The subjects with an open exception, by check. */
export async function openSubjects(
  transaction: Transaction,
  schema: string,
): Promise<Partial<Record<CheckName, string[]>>> {
  const rows = await transaction<{ check_type: CheckName; subjects: string[] }[]>`
    select exception.check_type, array_agg(exception.affected_entity order by exception.affected_entity) as subjects
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where exception.resolved_at is null and exception.affected_entity is not null
    group by exception.check_type
    order by exception.check_type
  `;
  return Object.fromEntries(rows.map((row) => [row.check_type, row.subjects]));
}

/**
 * Nobody else changes an exception before this transaction ends: a run stores what it found, or a person acts, one after
 * the other, so that no action is lost and neither can deadlock the other. Throws an OperatorError (3) that names the
 * holder if somebody else goes on for longer than `waitMs`.
 */
export async function lockExceptions(transaction: Transaction, schema: string, waitMs = 60_000): Promise<void> {
  const holder = await waitForLock(transaction, `recon exceptions ${schema}`, waitMs);
  if (holder === undefined) return;
  throw new OperatorError(
    3,
    `The exceptions are held by ${holder}: by a run that stores what it found, or somebody who changes many. Nothing was changed.`,
    'Try again when that has ended.',
  );
}
