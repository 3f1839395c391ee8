import type { CheckName } from '../checks/names.ts';
import type { Transaction } from '../database/database.ts';
import { findingTable, isAsAccepted, isWorse } from './acceptance.ts';

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
  const { reportId, checkId, rows } = sightings;
  const recorded = await transaction`
    with
    finding as (select * from ${findingTable(transaction, rows)}),
    before as (
      select exception.*
      from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      inner join finding on finding.fingerprint = exception.fingerprint
      where exception.resolved_at is null
    ),
    stored as (${upsert(transaction, schema, sightings)}),
    event as (${logSightings(transaction, schema, sightings)})
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
      accepted_until = case when ${isAsAccepted(transaction, 'stored', 'excluded')} then stored.accepted_until end,
      snoozed_until = case when not ${isWorse(transaction, 'excluded', 'stored')} then stored.snoozed_until end,
      last_report_id = excluded.last_report_id,
      last_seen_at = excluded.last_seen_at,
      occurrences = stored.occurrences + 1
    returning
      stored.id, stored.fingerprint, stored.severity, stored.occurrences = 1 as is_new, stored.previous_exception_id
  `;
}

/** Over the CTEs `finding`, `before` and `stored`: what of it a person would want to read years later. */
function logSightings(transaction: Transaction, schema: string, { reportId, seenAt }: Sightings) {
  return transaction`
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, details, created_at
    )
    select
      happened.exception_id, happened.event, 'system',
      jsonb_build_object('report_id', ${reportId}::text) || happened.details, ${seenAt}::timestamptz
    from (
      select
        stored.id as exception_id,
        case when stored.previous_exception_id is null then 'created' else 'returned' end as event,
        '{}'::jsonb as details
      from stored
      where stored.is_new
      union all
      select before.id, change.event, change.details
      from before
      inner join finding on finding.fingerprint = before.fingerprint
      cross join lateral (
        values
          (
            before.severity <> finding.severity,
            case when ${isWorse(transaction, 'finding', 'before')} then 'escalated' else 'eased' end,
            jsonb_build_object('from', before.severity, 'to', finding.severity)
          ),
          (
            before.snoozed_until is not null and ${isWorse(transaction, 'finding', 'before')},
            'snooze_ended',
            jsonb_build_object('why', 'its severity rose')
          ),
          (
            before.accepted_until is not null and not ${isAsAccepted(transaction, 'before', 'finding')},
            'acceptance_ended',
            case
              when before.difference is distinct from finding.difference
                then jsonb_build_object(
                  'why', 'its amount changed', 'from', before.difference::text, 'to', finding.difference::text
                )
              when ${isWorse(transaction, 'finding', 'before')} then jsonb_build_object('why', 'its severity rose')
              else jsonb_build_object('why', 'what is at stake changed')
            end
          )
      ) as change (is_so, event, details)
      where change.is_so
    ) as happened
    order by happened.exception_id, happened.event like '%_ended' -- what it became comes before what ended by that
  `;
}

/**
 * Resolves, as `system`, the exceptions of `checks` that this run did not see again. Only to be called for checks that
 * were complete, looked at every subject and stopped at no limit: that is the positive evidence. Where the run saw the
 * same subject with another kind, that exception takes its place, with who took it up. Returns how many.
 */
export async function clearUnseen(
  transaction: Transaction,
  schema: string,
  reportId: string,
  seenAt: string,
  checks: readonly CheckName[],
): Promise<number> {
  // nothing is known yet of rows that this transaction stored: the planner would expect one, and loop over 100,000
  await transaction`set local enable_nestloop = off`;
  const cleared = await transaction`
    with
    unseen as (${unseenBy(transaction, schema, reportId, checks)}),
    cleared as (
      update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      set
        resolved_at = ${seenAt}::timestamptz,
        resolved_by = 'system',
        resolution_notes = coalesce('became ' || unseen.successor, 'cleared') || ' in report ' || ${reportId}::text
      from unseen
      where exception.id = unseen.id and exception.resolved_at is null
      returning exception.id, exception.resolution_notes, unseen.successor, unseen.successor_id
    ),
    inherited as (${inheritance(transaction, schema)}),
    log_of_inherited as (
      insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
        exception_id, event, actor, details, created_at
      )
      select
        inherited.id, 'inherited', 'system',
        jsonb_strip_nulls(jsonb_build_object(
          'report_id', ${reportId}::text, 'from', inherited.predecessor, 'assignee', inherited.assignee,
          'acknowledged_by', inherited.acknowledged_by
        )),
        ${seenAt}::timestamptz
      from inherited
    )
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, note, details, created_at
    )
    select
      cleared.id, case when cleared.successor is null then 'cleared' else 'became' end, 'system',
      cleared.resolution_notes,
      jsonb_strip_nulls(jsonb_build_object('report_id', ${reportId}::text, 'successor', cleared.successor_id)),
      ${seenAt}::timestamptz
    from cleared
  `;
  return cleared.count;
}

/** The unresolved exceptions that this run did not see, and what it saw of the same subject instead. */
function unseenBy(transaction: Transaction, schema: string, reportId: string, checks: readonly CheckName[]) {
  return transaction`
    select unresolved.*
    from (
      select
        exception.id, exception.kind, exception.last_report_id, exception.assignee, exception.acknowledged_at,
        exception.acknowledged_by,
        -- one sort, where a look for each would grow with the square
        min(exception.kind) filter (where exception.last_report_id = ${reportId}::uuid) over same_subject as successor,
        min(exception.id::text) filter (where exception.last_report_id = ${reportId}::uuid) over same_subject
          as successor_id
      from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      where exception.resolved_at is null and exception.check_type = any (${[...checks]}::text[])
      window same_subject as (partition by exception.check_type, exception.affected_entity collate "C")
    ) as unresolved
    where
      unresolved.last_report_id <> ${reportId}::uuid
      -- what recon adopted from the first version, it cannot look at again: people close those
      and unresolved.kind <> 'unclassified'
      -- what somebody reopened while this run was under way, it may not have looked at
      and unresolved.id not in (
        select reopened.exception_id
        from ${transaction(`${schema}.reconciliation_exception_events`)} as reopened
        inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = ${reportId}::uuid
        where reopened.event = 'reopened' and reopened.created_at >= report.started_at
      )
  `;
}

/** Over the CTE `unseen`: whose it is, and who took it up, goes on to what took its place. */
function inheritance(transaction: Transaction, schema: string) {
  return transaction`
    update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    set
      assignee = coalesce(exception.assignee, predecessor.assignee),
      acknowledged_at = coalesce(exception.acknowledged_at, predecessor.acknowledged_at),
      acknowledged_by = coalesce(exception.acknowledged_by, predecessor.acknowledged_by)
    from (
      select distinct on (unseen.successor_id) unseen.*
      from unseen
      where unseen.successor_id is not null and coalesce(unseen.assignee, unseen.acknowledged_by) is not null
      order by unseen.successor_id, unseen.id
    ) as predecessor
    where exception.id = predecessor.successor_id::uuid
    returning exception.id, predecessor.id as predecessor, exception.assignee, exception.acknowledged_by
  `;
}
