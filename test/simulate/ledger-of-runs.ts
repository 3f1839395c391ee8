import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

/** Every total that follows from what is stored, label by label: what happened is counted once. */
export async function expectCounted(sql: postgres.Sql): Promise<void> {
  const happened = await sql.unsafe<Total[]>(await readFile(new URL('./happened.sql', import.meta.url), 'utf8'));
  const counted = await sql<Total[]>`
    select counted.metric || counted.labels as series, counted.total::integer as total
    from reconciliation_totals as counted
    where
      counted.metric not like 'reconciliation_run_duration%' -- of one that died nobody knows it
      and counted.metric not like '%\\_bucket'
      and counted.metric not like '%\\_sum'
      -- an attempt that failed leaves no row
      and not (counted.metric = 'reconciliation_alert_deliveries_total' and counted.labels ->> 'outcome' = 'failed')
    order by 1`;
  assert.deepEqual(toObject(counted), toObject(happened), 'what was counted');
}

interface Total {
  series: string;
  total: number;
}

function toObject(totals: readonly Total[]): Record<string, number> {
  return Object.fromEntries(totals.map(({ series, total }) => [series, total]));
}
