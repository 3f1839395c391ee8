import type { CheckName } from '../checks/names.ts';
import type { Transaction } from '../database.ts';
import { severities } from '../kinds.ts';

/** A part of what a check of a run saw. */
export interface Sightings {
  reportId: string;
  checkId: string;
  /** RFC 3339. */
  seenAt: string;
  /** A JSON array of `FindingColumns`. */
  rows: string;
}

/**
 * Stores what a run found: a fingerprint without an unresolved exception gets a new one (which points to the resolved
 * one that it is the return of), one that has an exception moves it on. Part of the transaction that ends the run.
 * Returns how many there were.
 */
export async function recordFindings(transaction: Transaction, schema: string, sightings: Sightings): Promise<number> {
  const { reportId, checkId, seenAt, rows } = sightings;
  const recorded = await transaction`
    with
    finding as (
      select *
      from json_to_recordset(${rows}::text::json) as finding (
        check_type text, kind text, fingerprint text, severity text, description text, expected_value numeric,
        actual_value numeric, difference numeric, currency text, affected_user_id uuid, affected_entity text,
        metadata jsonb
      )
    ),
    before as (
      select exception.id, exception.severity
      from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      inner join finding on finding.fingerprint = exception.fingerprint
      where exception.resolved_at is null
    ),
    stored as (${upsert(transaction, schema, sightings)}),
    event as (
      insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
        exception_id, event, actor, details, created_at
      )
      select
        stored.id,
        case when stored.previous_exception_id is null then 'created' else 'returned' end,
        'system',
        jsonb_build_object('report_id', ${reportId}::text),
        ${seenAt}::timestamptz
      from stored
      where stored.is_new
      union all
      select
        before.id, 'escalated', 'system',
        jsonb_build_object('report_id', ${reportId}::text, 'from', before.severity, 'to', stored.severity),
        ${seenAt}::timestamptz
      from before
      inner join stored on stored.id = before.id
      where
        array_position(${[...severities]}::text[], stored.severity)
        > array_position(${[...severities]}::text[], before.severity)
    )
    insert into ${transaction(`${schema}.reconciliation_findings`)} (
      report_id, check_id, exception_id, expected_value, actual_value, difference, currency, severity, metadata
    )
    select
      ${reportId}::uuid, ${checkId}::uuid, stored.id, finding.expected_value, finding.actual_value,
      finding.difference, finding.currency, finding.severity, finding.metadata
    from stored
    inner join finding on finding.fingerprint = stored.fingerprint
  `;
  return recorded.count;
}

/** Over the CTE `finding`: a new exception for each fingerprint that has none unresolved, and a move on of the others. */
function upsert(transaction: Transaction, schema: string, { reportId, checkId, seenAt }: Sightings) {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  return transaction`
    insert into ${exceptions} as stored (
      report_id, check_id, check_type, kind, fingerprint, severity, description, expected_value, actual_value,
      difference, currency, affected_user_id, affected_entity, metadata, created_at, last_report_id, last_seen_at,
      previous_exception_id
    )
    select
      ${reportId}::uuid, ${checkId}::uuid, finding.check_type, finding.kind, finding.fingerprint, finding.severity,
      finding.description, finding.expected_value, finding.actual_value, finding.difference, finding.currency,
      finding.affected_user_id, finding.affected_entity, finding.metadata, ${seenAt}::timestamptz,
      ${reportId}::uuid, ${seenAt}::timestamptz,
      (
        select previous.id
        from ${exceptions} as previous
        where previous.fingerprint = finding.fingerprint and previous.resolved_at is not null
        order by previous.resolved_at desc, previous.id
        limit 1
      )
    from finding
    on conflict (fingerprint) where resolved_at is null do update
    set
      severity = excluded.severity,
      description = excluded.description,
      expected_value = excluded.expected_value,
      actual_value = excluded.actual_value,
      difference = excluded.difference,
      currency = excluded.currency,
      affected_user_id = excluded.affected_user_id,
      metadata = excluded.metadata,
      last_report_id = excluded.last_report_id,
      last_seen_at = excluded.last_seen_at,
      occurrences = stored.occurrences + 1
    returning
      stored.id, stored.fingerprint, stored.severity, stored.occurrences = 1 as is_new, stored.previous_exception_id
  `;
}

/**
 * Resolves, as `system`, the exceptions of `checks` that this run did not see again. Only to be called for checks that
 * were complete, looked at every subject and stopped at no limit: that is the positive evidence. Returns how many.
 */
export async function clearUnseen(
  transaction: Transaction,
  schema: string,
  reportId: string,
  seenAt: string,
  checks: readonly CheckName[],
): Promise<number> {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  // nothing is known yet of rows that this transaction stored: the planner would expect one, and loop over 100,000
  await transaction`set local enable_nestloop = off`;
  const cleared = await transaction`
    with
    unresolved as (
      select
        exception.id, exception.kind, exception.last_report_id,
        -- what this run saw of the same subject instead: one sort, where a look for each would grow with the square
        min(exception.kind) filter (where exception.last_report_id = ${reportId}::uuid) over (
          partition by exception.check_type, exception.affected_entity collate "C"
        ) as successor
      from ${exceptions} as exception
      where exception.resolved_at is null and exception.check_type = any (${[...checks]}::text[])
    ),
    unseen as (
      select unresolved.id, unresolved.successor
      from unresolved
      where
        unresolved.last_report_id <> ${reportId}::uuid
        -- what recon adopted from the first version, it cannot look at again: people close those
        and unresolved.kind <> 'unclassified'
    ),
    cleared as (
      update ${exceptions} as exception
      set
        resolved_at = ${seenAt}::timestamptz,
        resolved_by = 'system',
        resolution_notes = coalesce('became ' || unseen.successor, 'cleared') || ' in report ' || ${reportId}::text
      from unseen
      where exception.id = unseen.id and exception.resolved_at is null
      returning exception.id, exception.resolution_notes, unseen.successor
    )
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, note, details, created_at
    )
    select
      cleared.id, case when cleared.successor is null then 'cleared' else 'became' end, 'system',
      cleared.resolution_notes, jsonb_build_object('report_id', ${reportId}::text), ${seenAt}::timestamptz
    from cleared
  `;
  return cleared.count;
}
