import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { expectCounted } from '../simulate/ledger-of-runs.ts';
import type { Received } from './others.ts';
import type { Ended } from './stage.ts';

/** What a database holds of the last run. */
export type Left = 'no report' | 'a report without a result' | 'an incomplete result' | 'its whole result';

/**
 * Holds what a struck run left behind against what may be there: all of a run or nothing, each counted once, and nobody
 * who still holds a lock. Throws an AssertionError. Returns what is there.
 */
export async function expectNoHalves(sql: postgres.Sql, { said }: Ended, secrets: readonly string[]): Promise<Left> {
  for (const secret of secrets) assert.ok(!said.includes(secret), 'a secret was shown');
  const reports = await sql<StoredReport[]>`
    select
      report.status, report.total_checks, report.exceptions_count, report.error_message,
      report.metadata ->> 'verdict' as verdict,
      (select count(*) from reconciliation_checks as checked where checked.report_id = report.id)::integer as checks,
      (select count(*) from reconciliation_findings as finding where finding.report_id = report.id)::integer as findings,
      (
        select count(*) from reconciliation_alerts as alert
        where alert.report_id = report.id and alert.target = 'webhook'
      )::integer as messages
    from reconciliation_reports as report
    order by report.started_at`;
  for (const report of reports) expectWhole(report);
  await expectCounted(sql);
  const [, struck] = reports; // after the one that came before
  if (struck === undefined) return 'no report';
  if (struck.verdict === null) return 'a report without a result';
  return struck.verdict === 'incomplete' ? 'an incomplete result' : 'its whole result';
}

interface StoredReport {
  status: string;
  verdict: string | null;
  error_message: string | null;
  total_checks: number;
  exceptions_count: number;
  checks: number;
  findings: number;
  messages: number;
}

function expectWhole(report: StoredReport): void {
  const { verdict, status, checks, findings } = report;
  const what = JSON.stringify(report);
  assert.equal(checks, verdict === null ? 0 : report.total_checks, `the checks of ${what}`);
  assert.equal(findings, verdict === null ? 0 : report.exceptions_count, `the findings of ${what}`);
  if (verdict !== null) return;
  assert.match(status, /^(in_progress|failed)$/, what);
  assert.equal(report.messages, status === 'failed' ? 1 : 0, `who broke off is told when that is known: ${what}`);
}

/** Whoever could still write did not leave its report open for the next run to close. */
export async function expectClosed(sql: postgres.Sql): Promise<void> {
  const open = await sql`select id, status from reconciliation_reports where status in ('pending', 'in_progress')`;
  assert.deepEqual([...open], [], 'reports that were left open');
}

/** Waits until the server has noticed that a process is gone; what it left locked is free then. */
export async function expectNoSessions(sql: postgres.Sql): Promise<void> {
  const patience = performance.now() + 10_000;
  for (;;) {
    const sessions = await sql`
      select state, query from pg_stat_activity
      where application_name = 'recon' and datname = current_database()`;
    if (sessions.length === 0) return;
    if (performance.now() > patience) assert.deepEqual([...sessions], [], 'sessions of a process that is gone');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What has to be the same in the end, however the runs were disturbed. */
export interface Books {
  /** Every exception with its life, in the order of their fingerprints. */
  exceptions: Record<string, unknown>[];
  /** What recon wrote into the host's tables, and those tables. */
  corrections: Record<string, unknown>[];
  host: Record<string, unknown>[];
  /** What the targets were told of each exception, in order. */
  told: Record<string, string[]>;
  /** What PagerDuty still shows. */
  incidents: string[];
}

export async function readBooks(sql: postgres.Sql): Promise<Books> {
  const exceptions = await sql`
    select
      exception.fingerprint, exception.kind, exception.severity, exception.difference, exception.resolved_by,
      exception.auto_corrected, exception.correction_action,
      exception.occurrences - (
        select count(*) from reconciliation_findings as finding where finding.exception_id = exception.id
      ) as uncounted,
      array(
        select happened.event || ' by ' || happened.actor from reconciliation_exception_events as happened
        where happened.exception_id = exception.id and happened.event not like 'correction_%'
        order by happened.sequence
      ) as life
    from reconciliation_exceptions as exception
    order by exception.fingerprint collate "C", exception.created_at`;
  const corrections = await sql`
    select exception.fingerprint, correction.correction, correction.amount
    from reconciliation_corrections as correction
    inner join reconciliation_exceptions as exception on exception.id = correction.exception_id
    where correction.state = 'applied'
    order by exception.fingerprint collate "C"`;
  const host = await sql`
    select id::text, balance::text as holds from ledger_accounts
    union all select id::text, ledger_transaction_id::text from conversion_jobs
    union all select 'transactions', count(*)::text from ledger_transactions
    union all select 'entries', count(*)::text from ledger_entries
    order by 1`;
  const incidents = await sql<{ key: string }[]>`
    select key from reconciliation_incidents where exception_id is not null order by key`;
  return {
    exceptions: [...exceptions],
    corrections: [...corrections],
    host: [...host],
    told: await readTold(sql),
    incidents: incidents.map(({ key }) => key),
  };
}

/** Of exceptions only: that a run broke off is told besides. */
async function readTold(sql: postgres.Sql): Promise<Record<string, string[]>> {
  const rows = await sql<{ target: string; news: string }[]>`
    select alert.target, told.subject || ' ' || told.change as news
    from reconciliation_alerts as alert
    cross join lateral (
      select one.exception ->> 'fingerprint' as subject, one.exception ->> 'change' as change
      from jsonb_array_elements(alert.body #> '{data,exceptions}') as one (exception)
      where alert.target = 'webhook'
      union all
      select alert.body ->> 'dedup_key', alert.body ->> 'event_action'
      where alert.target = 'pagerduty' and alert.body ->> 'dedup_key' like '%deposit:%'
      union all
      select exception.fingerprint, head.words[1]
      from jsonb_array_elements(alert.body -> 'blocks') as block (shown)
      cross join regexp_match(block.shown #>> '{text,text}', '^[*]\\w+[*] (\\w+) · \\w+ · .(\\w{8})') as head (words)
      inner join reconciliation_exceptions as exception on left(exception.id::text, 8) = head.words[2]
      where alert.target = 'slack'
    ) as told
    order by alert.target, told.subject collate "C", alert.number`;
  return Object.fromEntries(
    ['webhook', 'pagerduty', 'slack'].map((name) => [
      name,
      rows.filter(({ target }) => target === name).map(({ news }) => news),
    ]),
  );
}

/** Every alert was delivered, under its own id and no other; and the gateway knows every run. */
export async function expectAllTold(sql: postgres.Sql, received: Received): Promise<void> {
  const alerts = await sql<{ id: string; target: string; state: string; summary: string; is_new: boolean }[]>`
    select alert.id, alert.target, alert.state, alert.summary, alert.created_at > first.completed_at as is_new
    from reconciliation_alerts as alert
    cross join (select min(completed_at) as completed_at from reconciliation_reports) as first
    order by alert.number`;
  assert.deepEqual(
    alerts.filter(({ state }) => state !== 'delivered'),
    [],
    'alerts that were not delivered',
  );
  const ids = alerts.filter(({ target, is_new: isNew }) => target === 'webhook' && isNew).map(({ id }) => id);
  const heard = received.webhook.map(({ headers }) => headers['webhook-id'] ?? '');
  assert.deepEqual(new Set(heard), new Set(ids), 'the ids that the webhook heard');
  await expectHeardOnce(sql, received);
  const pushed = [...(received.gateway.at(-1)?.body ?? '').matchAll(/^reconciliation_runs_total\{.*\} (\d+)$/gm)];
  const [ended] = await sql<{ runs: number }[]>`
    select count(*)::integer as runs from reconciliation_reports where status in ('completed', 'failed')`;
  assert.equal(
    pushed.reduce((all, [, count]) => all + Number(count), 0),
    ended!.runs,
    'the runs that the gateway knows',
  );
}

/** PagerDuty and Slack know no ids: what they heard is what stands in the outbox, and nothing else. */
async function expectHeardOnce(sql: postgres.Sql, received: Received): Promise<void> {
  const stored = await sql<{ target: string; body: object }[]>`
    select alert.target, alert.body
    from reconciliation_alerts as alert
    cross join (select min(completed_at) as completed_at from reconciliation_reports) as first
    where alert.created_at > first.completed_at
    order by alert.number`;
  for (const target of ['pagerduty', 'slack'] as const) {
    const wanted = stored.filter((alert) => alert.target === target).map(({ body }) => wordOf(body));
    const heard = received[target].map(({ body }) => wordOf(JSON.parse(body) as object));
    assert.equal(new Set(wanted).size, wanted.length, `${target} is told the same twice: ${wanted.join('\n')}`);
    assert.deepEqual(new Set(heard), new Set(wanted), `what ${target} heard`); // twice where its answer was lost
  }
}

/** Of an event its key and what it does, else the whole message; in an order that does not depend on who wrote it. */
function wordOf(body: { dedup_key?: string; event_action?: string }): string {
  if (body.dedup_key !== undefined) return `${body.event_action} ${body.dedup_key}`;
  return JSON.stringify(body)
    .split(/[{}[\],]/)
    .toSorted()
    .join(' ');
}
