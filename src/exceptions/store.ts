import type { CheckName } from '../checks/names.ts';
import { inTransaction, rowsOf, type Database, type Transaction } from '../database.ts';
import { severities, type Severity } from '../kinds.ts';
import { OperatorError } from '../operator-error.ts';
import type { ExceptionEvent, Sighting, StoredException } from './exception.ts';

export interface ExceptionFilter {
  status: 'open' | 'resolved' | 'all';
  severities: readonly Severity[];
  checks: readonly string[];
  kinds: readonly string[];
  userId: string | undefined;
  /** Exceptions that this report saw. */
  reportId: string | undefined;
}

/** Everything, open and resolved; a report's own view overrides the parts it wants. */
export const anyException: ExceptionFilter = {
  status: 'all',
  severities: [],
  checks: [],
  kinds: [],
  userId: undefined,
  reportId: undefined,
};

/** A part of a list. */
export interface Page {
  /** Only what follows this one: an exception that is resolved meanwhile moves nothing from one page to another. */
  after?: StoredException | undefined;
  limit?: number | undefined;
}

/** Matching exceptions, the most severe and the newest first, a part of them in memory at a time. */
export function streamExceptions(
  database: Database,
  schema: string,
  filter: ExceptionFilter,
  { after, limit }: Page = {},
): AsyncGenerator<StoredException> {
  return rowsOf(database<StoredException[]>`
    select ${columns(database)}
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(database, schema, filter)} and ${follows(database, after)}
    order by
      array_position(${bySeverity}::text[], exception.severity),
      exception.created_at desc, exception.fingerprint, exception.id
    limit ${limit ?? null}::bigint
  `);
}

/** How many exceptions match, and how many of them follow the one that a page begins after. */
export async function countExceptions(
  database: Database,
  schema: string,
  filter: ExceptionFilter,
  after?: StoredException,
): Promise<{ matching: number; following: number }> {
  const [count] = await database<{ matching: string; following: string }[]>`
    select count(*) as matching, count(*) filter (where ${follows(database, after)}) as following
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(database, schema, filter)}
  `;
  return { matching: Number(count?.matching), following: Number(count?.following) };
}

const bySeverity = [...severities].reverse();

/** Row by row in the order of the list. The times stand crosswise, because the newest come first. */
function follows(database: Database, after: StoredException | undefined) {
  if (after === undefined) return database`true`;
  return database`
    (
      array_position(${bySeverity}::text[], exception.severity), ${after.created_at}::timestamptz,
      exception.fingerprint, exception.id
    ) > (
      array_position(${bySeverity}::text[], ${after.severity}::text), exception.created_at,
      ${after.fingerprint}::text, ${after.id}::uuid
    )
  `;
}

function matches(database: Database, schema: string, filter: ExceptionFilter) {
  const { status, severities, checks, kinds, userId, reportId } = filter;
  return database`
    (${status} = 'all' or (exception.resolved_at is null) = (${status} = 'open'))
    and (${severities.length === 0} or exception.severity = any (${[...severities]}::text[]))
    and (${checks.length === 0} or exception.check_type = any (${[...checks]}::text[]))
    and (${kinds.length === 0} or exception.kind = any (${[...kinds]}::text[]))
    and (${userId ?? null}::uuid is null or exception.affected_user_id = ${userId ?? null}::uuid)
    and (
      ${reportId ?? null}::uuid is null
      or exists (
        select from ${database(`${schema}.reconciliation_findings`)} as finding
        where finding.exception_id = exception.id and finding.report_id = ${reportId ?? null}::uuid
      )
    )
  `;
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
    where starts_with(exception.id::text, ${idPrefix.toLowerCase()})
    order by exception.id
    limit 5
  `;
  const [exception, other] = found;
  if (exception === undefined)
    throw new OperatorError(
      64,
      `There is no exception whose id begins with "${idPrefix}".`,
      '`recon exceptions list --status all` shows every one.',
    );
  if (other !== undefined)
    throw new OperatorError(
      64,
      `More than one exception begins with ${idPrefix}: ${found.map(({ id }) => id).join(', ')}.`,
      'Give more of the id.',
    );
  return exception;
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
    select happened.event, happened.actor, happened.note, happened.details, happened.created_at
    from ${database(`${schema}.reconciliation_exception_events`)} as happened
    where happened.exception_id = ${exceptionId}
    order by happened.created_at, happened.id
  `;
  return { sightings: [...sightings], events: [...events] };
}

/**
 * Resolves the exceptions whose ids begin so, all of them or none, and writes it into their event log. Throws an
 * OperatorError (64) for an id that is unknown, ambiguous or resolved already.
 */
export async function resolveExceptions(
  database: Database,
  schema: string,
  idPrefixes: readonly string[],
  resolution: { by: string; note: string; at: Date },
): Promise<StoredException[]> {
  return inTransaction(database, 'read write', async (transaction) => {
    const resolved: StoredException[] = [];
    const ids = new Set<string>(); // one that is named twice is closed once
    for (const idPrefix of idPrefixes) ids.add((await findException(transaction, schema, idPrefix)).id);
    for (const id of ids) resolved.push(await resolveOne(transaction, schema, id, resolution));
    return resolved;
  });
}

async function resolveOne(
  transaction: Transaction,
  schema: string,
  id: string,
  { by, note, at }: { by: string; note: string; at: Date },
): Promise<StoredException> {
  const [exception] = await transaction<StoredException[]>`
    update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    set resolved_at = ${at}, resolved_by = ${by}, resolution_notes = ${note}
    where exception.id = ${id} and exception.resolved_at is null
    returning ${columns(transaction)}
  `;
  if (exception === undefined)
    throw new OperatorError(
      64,
      `The exception ${id} is resolved already; nothing was changed.`,
      `\`recon exceptions show ${id.slice(0, 8)}\` says by whom.`,
    );
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (exception_id, event, actor, note, created_at)
    values (${id}, 'resolved', ${by}, ${note}, ${at})
  `;
  return exception;
}

function columns(connection: Database | Transaction) {
  return connection`
    exception.id, exception.report_id, exception.check_id, exception.check_type, exception.kind,
    exception.fingerprint, exception.severity, exception.description, exception.expected_value,
    exception.actual_value, exception.difference, exception.currency, exception.affected_user_id,
    exception.affected_entity, exception.auto_corrected, exception.correction_action, exception.resolved_at,
    exception.resolved_by, exception.resolution_notes, exception.last_report_id, exception.last_seen_at,
    exception.occurrences, exception.previous_exception_id, exception.metadata, exception.created_at
  `;
}

/** The subjects with an open exception, by check. */
export async function openSubjects(database: Database, schema: string): Promise<Partial<Record<CheckName, string[]>>> {
  const rows = await database<{ check_type: CheckName; subjects: string[] }[]>`
    select exception.check_type, array_agg(exception.affected_entity order by exception.affected_entity) as subjects
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where exception.resolved_at is null and exception.affected_entity is not null
    group by exception.check_type
    order by exception.check_type
  `;
  return Object.fromEntries(rows.map((row) => [row.check_type, row.subjects]));
}
