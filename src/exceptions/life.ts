import type { Finding } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import type { Transaction } from '../database.ts';
import { columnsOf } from './exception.ts';
import { toJsonb } from '../jsonb.ts';

/** What a run brings to the life of the exceptions: who saw what, when. */
export interface Sightings {
  reportId: string;
  /** RFC 3339. */
  seenAt: string;
  checkIds: Readonly<Partial<Record<CheckName, string>>>;
  findings: readonly Finding[];
}

const batchSize = 2_000;

/**
 * Stores what a run found: a fingerprint without an unresolved exception gets a new one (which points to the resolved
 * one that it is the return of), one that has an exception moves it on. Part of the transaction that ends the run.
 */
export async function recordFindings(transaction: Transaction, schema: string, sightings: Sightings): Promise<void> {
  for (let start = 0; start < sightings.findings.length; start += batchSize)
    await recordBatch(transaction, schema, sightings, sightings.findings.slice(start, start + batchSize));
}

async function recordBatch(
  transaction: Transaction,
  schema: string,
  { reportId, seenAt, checkIds }: Sightings,
  findings: readonly Finding[],
): Promise<void> {
  const rows = findings.map((finding) => toRow(finding, checkIds));
  await transaction`
    with
    finding as (
      select *
      from jsonb_to_recordset(${toJsonb(rows)}::text::jsonb) as finding (
        check_id uuid, check_type text, kind text, fingerprint text, severity text, description text,
        expected_value numeric, actual_value numeric, difference numeric, currency text, affected_user_id uuid,
        affected_entity text, metadata jsonb
      )
    ),
    stored as (${upsert(transaction, schema, reportId, seenAt)}),
    sighting as (
      insert into ${transaction(`${schema}.reconciliation_findings`)} (
        report_id, check_id, exception_id, expected_value, actual_value, difference, currency, severity, metadata
      )
      select
        ${reportId}::uuid, finding.check_id, stored.id, finding.expected_value, finding.actual_value,
        finding.difference, finding.currency, finding.severity, finding.metadata
      from stored
      inner join finding on finding.fingerprint = stored.fingerprint
    )
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
  `;
}

/** Over the CTE `finding`: a new exception for each fingerprint that has none unresolved, and a move on of the others. */
function upsert(transaction: Transaction, schema: string, reportId: string, seenAt: string) {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  return transaction`
    insert into ${exceptions} as stored (
      report_id, check_id, check_type, kind, fingerprint, severity, description, expected_value, actual_value,
      difference, currency, affected_user_id, affected_entity, metadata, created_at, last_report_id, last_seen_at,
      previous_exception_id
    )
    select
      ${reportId}::uuid, finding.check_id, finding.check_type, finding.kind, finding.fingerprint, finding.severity,
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
      stored.id, stored.fingerprint, stored.occurrences = 1 as is_new, stored.previous_exception_id
  `;
}

function toRow(finding: Finding, checkIds: Sightings['checkIds']): Record<string, unknown> {
  return { check_id: checkIds[finding.check], ...columnsOf(finding) };
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
  const cleared = await transaction`
    with
    cleared as (
      update ${exceptions} as unseen
      set
        resolved_at = ${seenAt}::timestamptz,
        resolved_by = 'system',
        resolution_notes = coalesce(
          (
            select 'became ' || successor.kind || ' in report ' || ${reportId}::text
            from ${exceptions} as successor
            where
              successor.check_type = unseen.check_type
              and successor.affected_entity = unseen.affected_entity
              and successor.last_report_id = ${reportId}::uuid
            order by successor.kind
            limit 1
          ),
          'cleared in report ' || ${reportId}::text
        )
      where
        unseen.resolved_at is null
        and unseen.check_type = any (${[...checks]}::text[])
        and unseen.last_report_id <> ${reportId}::uuid
        -- what recon adopted from the first version, it cannot look at again: people close those
        and unseen.kind <> 'unclassified'
      returning unseen.id, unseen.resolution_notes
    )
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, note, details, created_at
    )
    select
      cleared.id, case when cleared.resolution_notes like 'became %' then 'became' else 'cleared' end, 'system',
      cleared.resolution_notes, jsonb_build_object('report_id', ${reportId}::text), ${seenAt}::timestamptz
    from cleared
  `;
  return cleared.count;
}
