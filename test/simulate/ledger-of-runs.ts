import assert from 'node:assert/strict';
import type postgres from 'postgres';

/** What is known of a run from the outside. */
export interface EndedRun {
  /** It was stored with what it found; else it broke off. */
  hasVerdict: boolean;
  /** It found something that somebody has to be told. */
  tells: boolean;
}

/**
 * Holds the books of recon against the runs: all of a run is there or nothing, each is counted once, and each that has
 * something to tell is in the outbox once.
 */
export async function expectBooked(sql: postgres.Sql, runs: ReadonlyMap<string, EndedRun>): Promise<void> {
  const reports = await sql<StoredRun[]>`
    select
      report.id, report.run_type, report.status, report.metadata ? 'missed' as names_missed,
      (select count(*) from reconciliation_checks as checked where checked.report_id = report.id)::integer as checks,
      (select count(*) from reconciliation_findings as finding where finding.report_id = report.id)::integer as findings,
      (select count(*) from reconciliation_alerts as alert where alert.report_id = report.id)::integer as alerts,
      report.exceptions_count
    from reconciliation_reports as report
    order by report.started_at, report.id`;
  for (const stored of reports) expectWhole(stored, runs.get(stored.id)!);
  await expectCounted(sql);
}

interface StoredRun {
  id: string;
  run_type: string;
  status: string;
  names_missed: boolean;
  checks: number;
  findings: number;
  alerts: number;
  exceptions_count: number;
}

function expectWhole(stored: StoredRun, { hasVerdict, tells }: EndedRun): void {
  const { id, status, checks, findings, alerts, exceptions_count: found } = stored;
  const isOver = status !== 'in_progress';
  assert.equal(checks > 0, hasVerdict, `the checks of run ${id}`);
  assert.equal(findings, hasVerdict ? found : 0, `the findings of run ${id}`);
  // one that broke off is told when that is known
  const isTold = hasVerdict ? tells || stored.names_missed : isOver;
  assert.equal(alerts, isTold ? 1 : 0, `the alerts of run ${id}`);
}

/** Runs that ended, checks and exceptions, once each. */
export async function expectCounted(sql: postgres.Sql): Promise<void> {
  const ended = await sql<{ run: string }[]>`
    select report.run_type || ' ' || report.status as run
    from reconciliation_reports as report where report.status <> 'in_progress' order by 1`;
  const counted = await sql<{ run: string; total: number }[]>`
    select labels ->> 'run_type' || ' ' || (labels ->> 'status') as run, total::integer
    from reconciliation_totals where metric = 'reconciliation_runs_total' order by 1`;
  assert.deepEqual(
    Object.fromEntries(counted.map(({ run, total }) => [run, total])),
    countBy(ended.map(({ run }) => run)),
    'the runs that were counted',
  );
  const [row] = await sql<Record<string, number>[]>`
    select
      (select count(*) from reconciliation_checks)::integer as checks,
      (select count(*) from reconciliation_exceptions)::integer as exceptions,
      (select count(*) from reconciliation_corrections where state = 'applied')::integer as corrected,
      coalesce(sum(total) filter (where metric = 'reconciliation_exceptions_auto_corrected_total'), 0)::integer as counted_corrected,
      coalesce(sum(total) filter (where metric = 'reconciliation_checks_total'), 0)::integer as counted_checks,
      coalesce(sum(total) filter (where metric = 'reconciliation_exceptions_total'), 0)::integer as counted_exceptions
    from reconciliation_totals`;
  assert.equal(row!['counted_checks'], row!['checks'], 'the checks that were counted');
  assert.equal(row!['counted_exceptions'], row!['exceptions'], 'the exceptions that were counted');
  assert.equal(row!['counted_corrected'], row!['corrected'], 'the corrections that were counted');
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
