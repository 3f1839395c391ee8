import type { CheckName } from '../checks/names.ts';
import { rowsOf, type Database, type Transaction } from '../database/database.ts';
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
  database: Database | Transaction,
  schema: string,
  filter: ExceptionFilter,
  { sort = 'severity', afterId, limit }: Page = {},
): AsyncGenerator<StoredException> {
  return rowsOf(database<StoredException[]>`
    select ${columns(database)}
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(database, schema, filter)} and ${following(database, schema, sort, afterId)}
    order by ${ordering(database, sort)}
    limit ${limit ?? null}::bigint
  `);
}

/** How many matching exceptions there are, from the one on that a page begins after. */
export async function countExceptions(
  database: Database,
  schema: string,
  filter: ExceptionFilter,
  { sort = 'severity', afterId }: Page = {},
): Promise<number> {
  const [count] = await database<{ matching: string }[]>`
    select count(*) as matching
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(database, schema, filter)} and ${following(database, schema, sort, afterId)}
  `;
  return Number(count?.matching);
}

function following(database: Database | Transaction, schema: string, sort: Sort, afterId: string | undefined) {
  return afterId === undefined ? database`true` : follows(database, schema, sort, afterId);
}

/** The exception whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function findException(
  connection: Database | Transaction,
  schema: string,
  idPrefix: string,
): Promise<StoredException & { id: string }> {
  const found = await connection<(StoredException & { id: string })[]>`
    select ${columns(connection)}
    from ${connection(`${schema}.reconciliation_exceptions`)} as exception
    ${whoseIdBegins(connection, 'exception.id', idPrefix)}
  `;
  return onlyOne(found, {
    noun: 'exception',
    idPrefix,
    listedBy: '`recon exceptions list --status all` shows every one.',
  });
}

/** How the runs saw an exception, newest first, and what was done with it, oldest first. */
export async function historyOf(
  database: Database,
  schema: string,
  exceptionId: string,
): Promise<{ sightings: Sighting[]; events: ExceptionEvent[] }> {
  const sightings = await database<Sighting[]>`
    select
      finding.report_id, finding.severity, finding.expected_value, finding.actual_value, finding.difference,
      report.started_at as seen_at
    from ${database(`${schema}.reconciliation_findings`)} as finding
    inner join ${database(`${schema}.reconciliation_reports`)} as report on report.id = finding.report_id
    where finding.exception_id = ${exceptionId}
    order by report.started_at desc, report.id
    limit 20
  `;
  const events = await database<ExceptionEvent[]>`
    select happened.event, happened.actor, happened.note, happened.details, happened.host, happened.created_at
    from ${database(`${schema}.reconciliation_exception_events`)} as happened
    where happened.exception_id = ${exceptionId}
    order by happened.sequence
  `;
  return { sightings: [...sightings], events: [...events] };
}

/** What took the place of an exception that was resolved: it came back, or became another kind. */
export async function successorOf(
  database: Database,
  schema: string,
  exceptionId: string,
): Promise<Successor | undefined> {
  const [successor] = await database<Successor[]>`
    with
    become as (
      select (happened.details ->> 'successor')::uuid as id
      from ${database(`${schema}.reconciliation_exception_events`)} as happened
      where happened.exception_id = ${exceptionId} and happened.event = 'became'
    )
    select later.id, later.kind, coalesce(later.previous_exception_id = ${exceptionId}, false) as is_return
    from ${database(`${schema}.reconciliation_exceptions`)} as later
    where later.previous_exception_id = ${exceptionId} or later.id in (select become.id from become)
    order by later.created_at, later.id
    limit 1
  `;
  return successor;
}

function columns(connection: Database | Transaction) {
  return connection`
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
  database: Database | Transaction,
  schema: string,
): Promise<Partial<Record<CheckName, string[]>>> {
  const rows = await database<{ check_type: CheckName; subjects: string[] }[]>`
    select exception.check_type, array_agg(exception.affected_entity order by exception.affected_entity) as subjects
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
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
