import type { Transaction } from '../database/database.ts';
import { noneBySeverity, severities, type Severity } from '../kinds.ts';
import { amountsInMetadata } from './exception.ts';
import type { KeptFindings } from './kept-findings.ts';

/**
 * Whether what was seen is what was accepted, of the same amounts and kinds and no more severe: an acceptance holds for
 * nothing else. Each names a table of the query.
 */
export function isAsAccepted(transaction: Transaction, accepted: string, seen: string) {
  return transaction`(
    ${sameAmounts(transaction, accepted, seen)} and not ${isWorse(transaction, seen, accepted)}
  )`;
}

function sameAmounts(transaction: Transaction, accepted: string, seen: string) {
  const column = (row: string, name: string) => transaction(`${row}.${name}`);
  // what both sides come to moves with every day's business, so it counts only where there is no difference
  const amounts = (row: string, metadata: ReturnType<typeof before>) => transaction`(
    ${column(row, 'difference')},
    case when ${column(row, 'difference')} is null then ${column(row, 'expected_value')} end,
    case when ${column(row, 'difference')} is null then ${column(row, 'actual_value')} end,
    ${column(row, 'currency')},
    array(select ${metadata} -> beside.name from unnest(${[...amountsInMetadata]}::text[]) as beside (name))
  )`;
  // what was stored when recon kept only the names of the kinds behind is held against these
  const before = () => transaction`(
    case
      when ${column(accepted, 'metadata')} -> 'also' is not null
        then jsonb_build_object('also_amounts', ${column(seen, 'metadata')} -> 'also_amounts')
      else '{}'
    end || ${column(accepted, 'metadata')}
  )`;
  return transaction`
    ${amounts(accepted, before())} is not distinct from ${amounts(seen, transaction`${column(seen, 'metadata')}`)}
  `;
}

/** Whether one row is more severe than another. Each names a table of the query. */
export function isWorse(transaction: Transaction, row: string, than: string) {
  const rank = (name: string) =>
    transaction`array_position(${[...severities]}::text[], ${transaction(`${name}.severity`)})`;
  return transaction`(${rank(row)} > ${rank(than)})`;
}

/** A JSON array of `FindingColumns`, as the table `finding`. */
export function findingTable(transaction: Transaction, rows: string) {
  return transaction`
    json_to_recordset(${rows}::text::json) as finding (
      check_type text, kind text, fingerprint text, severity text, description text, expected_value numeric,
      actual_value numeric, difference numeric, currency text, affected_user_id uuid, affected_entity text,
      metadata jsonb
    )
  `;
}

/** How many of these findings are known and agreed at that moment, by severity. */
export async function countAccepted(
  transaction: Transaction,
  schema: string,
  findings: KeptFindings,
  at: Date,
): Promise<Record<Severity, number>> {
  const counts = noneBySeverity();
  if (findings.count() === 0 || !(await isAnyAccepted(transaction, schema, at))) return counts;
  for (const rows of findings.batches())
    for (const { severity, count } of await countIn(transaction, schema, rows, at)) counts[severity] += count;
  return counts;
}

async function isAnyAccepted(transaction: Transaction, schema: string, at: Date): Promise<boolean> {
  const [any] = await transaction`
    select from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where exception.resolved_at is null and exception.accepted_until > ${at}
    limit 1
  `;
  return any !== undefined;
}

async function countIn(transaction: Transaction, schema: string, rows: string, at: Date) {
  return transaction<{ severity: Severity; count: number }[]>`
    select finding.severity, count(*)::integer as count
    from ${findingTable(transaction, rows)}
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      on exception.fingerprint = finding.fingerprint
    where
      exception.resolved_at is null and exception.accepted_until > ${at}
      and ${isAsAccepted(transaction, 'exception', 'finding')}
    group by finding.severity
    order by finding.severity
  `;
}

/** Ends the snoozes and acceptances whose time is over, and writes it down. Part of the transaction that ends the run. */
export async function endExpired(
  transaction: Transaction,
  schema: string,
  { reportId, seenAt }: { reportId: string; seenAt: string },
): Promise<void> {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  await transaction`
    with
    expired as (
      select exception.id, exception.accepted_until
      from ${exceptions} as exception
      where
        exception.resolved_at is null
        and greatest(exception.accepted_until, exception.snoozed_until) <= ${seenAt}::timestamptz
    ),
    ended as (
      update ${exceptions} as exception
      set accepted_until = null, snoozed_until = null
      from expired
      where exception.id = expired.id
      returning exception.id, expired.accepted_until
    )
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, details, created_at
    )
    select
      ended.id,
      case when ended.accepted_until is null then 'snooze_ended' else 'acceptance_ended' end,
      'system',
      jsonb_build_object('report_id', ${reportId}::text, 'why', 'its time is over'),
      ${seenAt}::timestamptz
    from ended
  `;
}
