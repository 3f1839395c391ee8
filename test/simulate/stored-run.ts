import assert from 'node:assert/strict';
import type postgres from 'postgres';
import type { CheckName } from '../../src/checks/names.ts';
import type { Severity } from '../../src/kinds.ts';
import type { Fault } from '../exceptions/life-model.ts';
import { line } from '../oracle/verdict.ts';

// What a run left in the tables of recon.

export interface Found extends Fault {
  /** As the oracle writes it. */
  line: string;
}

export async function findingsOf(sql: postgres.Sql, reportId: string, check: CheckName): Promise<Found[]> {
  const rows = await sql<
    (Record<'kind' | 'subject', string> &
      Record<'expected' | 'actual' | 'difference' | 'currency' | 'user', string | null> & {
        severity: Severity;
        also: string[] | null;
      })[]
  >`
    select
      exception.kind, exception.affected_entity as subject, finding.expected_value as expected,
      finding.actual_value as actual, finding.difference, finding.currency, finding.severity,
      exception.affected_user_id as user, exception.metadata -> 'also' as also
    from reconciliation_findings as finding
    inner join reconciliation_exceptions as exception on exception.id = finding.exception_id
    where finding.report_id = ${reportId} and exception.check_type = ${check}
    order by exception.fingerprint collate "C"`;
  return rows.map((row) => ({
    subject: row.subject,
    kind: row.kind,
    difference: row.difference,
    severity: row.severity,
    line: line(row, row.severity, row.also ?? []),
  }));
}

export async function watermarksOf(sql: postgres.Sql): Promise<Map<string, Date>> {
  const rows = await sql<{ check_type: string; through: Date }[]>`
    select check_type, verified_through as through from reconciliation_watermarks`;
  return new Map(rows.map(({ check_type: check, through }) => [check, through]));
}

/**
 * How far a check is verified goes on with a whole run that was stored, stays behind it and behind what is not committed,
 * and never goes back.
 */
export function expectMoved(
  before: Map<string, Date>,
  after: Map<string, Date>,
  { now, openSince, verified }: { now: Date; openSince: Date | undefined; verified: readonly CheckName[] },
): void {
  for (const [check, through] of after)
    if (!verified.some((name) => name === check))
      assert.deepEqual(through, before.get(check), `verified_through of ${check}, which was not verified`);
  const furthest = new Date(now.getTime() - 15 * 60_000);
  for (const [check, through] of after) {
    const most = openSince !== undefined && openSince < furthest ? openSince : furthest;
    assert.ok(through <= most, `${check} is verified through ${through.toISOString()}`);
    assert.ok(through >= (before.get(check) ?? through), `verified_through of ${check} went back`);
  }
}
