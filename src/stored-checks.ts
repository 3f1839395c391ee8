import { checkNames, type CheckName } from './checks/names.ts';
import type { Transaction } from './database/database.ts';
import { toJsonb } from './database/jsonb.ts';

/** A row of reconciliation_checks. Amounts are exact decimal text; an incomplete check has none, and an error. */
export interface StoredCheck {
  id: string;
  report_id: string;
  check_type: CheckName;
  status: 'completed' | 'failed';
  expected_value: string | null;
  actual_value: string | null;
  difference: string | null;
  passed: boolean;
  error_message: string | null;
  execution_time_ms: number;
  metadata: Record<string, unknown>;
  created_at: string;
}

/** Passed, failed (the books disagree) or incomplete (this run proves nothing). */
export type Verdict = 'passed' | 'failed' | 'incomplete';

/** What a stored check says. */
export function verdictOf(check: Pick<StoredCheck, 'status' | 'passed'>): Verdict {
  if (check.status === 'failed') return 'incomplete';
  return check.passed ? 'passed' : 'failed';
}

/** Writes the checks of a report. */
export async function storeChecks(
  transaction: Transaction,
  schema: string,
  checks: readonly StoredCheck[],
): Promise<void> {
  for (const check of checks)
    await transaction`
      insert into ${transaction(`${schema}.reconciliation_checks`)} (
        id, report_id, check_type, status, expected_value, actual_value, difference, passed, error_message,
        execution_time_ms, metadata, created_at
      )
      values (
        ${check.id}, ${check.report_id}, ${check.check_type}, ${check.status}, ${check.expected_value},
        ${check.actual_value}, ${check.difference}, ${check.passed}, ${check.error_message},
        ${check.execution_time_ms}, ${toJsonb(check.metadata)}::text::jsonb, ${check.created_at}
      )
    `;
}

/** The checks of a report in the order in which they run and are shown, those of an older recon last. */
export async function checksOf(transaction: Transaction, schema: string, reportId: string): Promise<StoredCheck[]> {
  const rows = await transaction<(Omit<StoredCheck, 'execution_time_ms'> & { execution_time_ms: string })[]>`
    select
      checked.id, checked.report_id, checked.check_type, checked.status, checked.expected_value, checked.actual_value,
      checked.difference, checked.passed, checked.error_message, checked.execution_time_ms, checked.metadata,
      checked.created_at
    from ${transaction(`${schema}.reconciliation_checks`)} as checked
    where checked.report_id = ${reportId}
    order by array_position(${[...checkNames]}::text[], checked.check_type), checked.check_type, checked.id
  `;
  return rows.map((row) => ({ ...row, execution_time_ms: Number(row.execution_time_ms) }));
}

/** How many records the last complete check of each type compared that looked at everything. */
export async function lastCompared(transaction: Transaction, schema: string): Promise<Map<string, number>> {
  const rows = await transaction<{ check_type: string; compared: string }[]>`
    select last.check_type, last.metadata ->> 'compared' as compared
    from ${lastChecks(
      transaction,
      schema,
      transaction`
        checked.status = 'completed'
        and checked.metadata ? 'compared'
        and checked.metadata ->> 'coverage' is distinct from 'changes'
      `,
    )} as last
  `;
  return new Map(rows.map((row) => [row.check_type, Number(row.compared)]));
}

/**
 * The last row of each check that meets a condition on `checked`, runs over a part of the books left out: they say
 * nothing about the whole. It goes back from the newest, and does not read the years before.
 */
export function lastChecks(transaction: Transaction, schema: string, condition = transaction`true`) {
  return transaction`
    (
      select last.*
      from unnest(${[...checkNames]}::text[]) as known (check_type)
      cross join lateral (
        select checked.*
        from ${transaction(`${schema}.reconciliation_checks`)} as checked
        inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = checked.report_id
        where checked.check_type = known.check_type and not report.metadata ? 'narrowed_to' and ${condition}
        order by checked.created_at desc, report.started_at desc, checked.id
        limit 1
      ) as last
      order by last.check_type
    )
  `;
}
