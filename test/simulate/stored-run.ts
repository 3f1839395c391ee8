import assert from 'node:assert/strict';
import type postgres from 'postgres';
import type { CheckName } from '../../src/checks/names.ts';
import type { Fault } from '../exceptions/life-model.ts';
import { line } from '../oracle/verdict.ts';
import type { Typed } from './operator.ts';
import type { End } from './story.ts';

// What a run left in the tables of recon.

export interface Found extends Fault {
  /** As the oracle writes it. */
  line: string;
}

export async function findingsOf(sql: postgres.Sql, reportId: string, check: CheckName): Promise<Found[]> {
  const rows = await sql<(Fault & { also: string[] | null })[]>`
    select
      exception.kind, exception.affected_entity as subject, finding.expected_value as expected,
      finding.actual_value as actual, finding.difference, finding.currency, finding.severity,
      exception.affected_user_id as user, finding.metadata, finding.metadata -> 'also' as also
    from reconciliation_findings as finding
    inner join reconciliation_exceptions as exception on exception.id = finding.exception_id
    where finding.report_id = ${reportId} and exception.check_type = ${check}
    order by exception.fingerprint collate "C"`;
  return rows.map(({ also, ...fault }) => ({ ...fault, line: line(fault, fault.severity, also ?? []) }));
}

/** A check of a run as it was stored. */
export interface StoredCheck {
  name: CheckName;
  status: string;
  passed: boolean;
  coverage: string | null;
}

export async function checksOf(sql: postgres.Sql, reportId: string): Promise<StoredCheck[]> {
  return sql<StoredCheck[]>`
    select checked.check_type as name, checked.status, checked.passed, checked.metadata ->> 'coverage' as coverage
    from reconciliation_checks as checked
    where checked.report_id = ${reportId}
    order by checked.check_type`;
}

/** Incomplete, then failed, as far as it can happen in a story. */
export function exitCodeOf(checks: readonly StoredCheck[]): number {
  if (checks.some(({ status }) => status === 'failed')) return 3;
  return checks.every(({ passed }) => passed) ? 0 : 2;
}

/** What a run says to whoever started it: how it came out, or what befell it. */
export function expectExit({ exitCode, isStruck, stderr }: Typed, { how }: End, checks: readonly StoredCheck[]): void {
  const codes = [
    ...(checks.length > 0 ? [exitCodeOf(checks)] : []),
    ...(isStruck ? [how === 'SIGTERM' ? 143 : 3] : []),
  ];
  assert.ok(codes.includes(exitCode), `exit ${exitCode} where ${codes.join(' or ')} was due: ${stderr}`);
}

export async function watermarksOf(sql: postgres.Sql): Promise<Map<string, Date>> {
  const rows = await sql<{ check_type: string; through: Date }[]>`
    select check_type, verified_through as through from reconciliation_watermarks order by check_type`;
  return new Map(rows.map(({ check_type: check, through }) => [check, through]));
}

/** How far a run that begins at `now` verifies: a commit may come a quarter of an hour after the time that its rows carry. */
export function reachOf(now: Date, openSince: Date | undefined): Date {
  const reach = now.getTime() - 15 * 60_000;
  const clocksDiffer = 5 * 60_000;
  return new Date(openSince === undefined ? reach : Math.min(reach, openSince.getTime() - clocksDiffer));
}

/** A check that a run verified goes on to its reach, or stays where it is further already; the others stay. */
export function expectMoved(
  before: ReadonlyMap<string, Date>,
  after: ReadonlyMap<string, Date>,
  { verified, reach }: { verified: readonly CheckName[]; reach: Date },
): void {
  const wanted = new Map(before);
  for (const check of verified)
    wanted.set(check, new Date(Math.max(reach.getTime(), before.get(check)?.getTime() ?? 0)));
  assert.deepEqual(after, wanted, 'how far each check is verified');
}
