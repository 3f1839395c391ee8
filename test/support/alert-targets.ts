import { createHash } from 'node:crypto';
import type postgres from 'postgres';
import { testDatabase } from './database.ts';
import { LedgerBuilder } from './ledger.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { cutAt } from './run-check.ts';
import { operatorOf } from './world.ts';

export const pagerDutyKey = 'e93facc04764012d7bfb002500d5d1a6';
export const secrets = [1, 2].map((number) => `whsec_${createHash('sha256').update(String(number)).digest('base64')}`);

/** Somebody at work on a ledger with one deposit, who compares deposits unless `env` says otherwise. */
export async function desk(env: Record<string, string> = {}) {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  const own = { RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_REQUEST_TIMEOUT: '1s', ...env };
  return { ...operatorOf(url, own), sql, ledger, ada };
}

/** Three targets, each a server of its own. */
export async function targets() {
  const slack = await startReceiver({ body: 'ok' });
  const pagerduty = await startReceiver({ status: 202, body: '{"status":"success"}' });
  const webhook = await startReceiver();
  const env = {
    RECONCILIATION_ALERT_SLACK_URL: `${slack.url}/services/T000/B000/canary-of-the-slack-webhook`,
    RECONCILIATION_ALERT_PAGERDUTY_KEY: pagerDutyKey,
    RECONCILIATION_ALERT_PAGERDUTY_URL: `${pagerduty.url}/v2/enqueue`,
    RECONCILIATION_ALERT_WEBHOOK_URL: `${webhook.url}/hook`,
    RECONCILIATION_ALERT_WEBHOOK_SECRET: secrets.join(','),
  };
  return { slack, pagerduty, webhook, env };
}

export interface PagerDutyEvent {
  routing_key: string;
  event_action: string;
  dedup_key: string;
  payload?: { summary: string; severity: string; timestamp: string; custom_details: Record<string, unknown> };
}

export interface WebhookBody {
  type: string;
  timestamp: string;
  data: {
    report_id: string;
    totals: { change: string; check_type: string; count: number; amount: string | null }[];
    exceptions: Record<string, unknown>[];
    incomplete_checks: { check_type: string; reason: string }[];
    missed_runs: { run_type: string; count: number; slots: string[] }[];
    failure: string | null;
    next: string[];
  };
}

/** What arrived, parsed. */
export function bodiesOf<Body>(receiver: Receiver): Body[] {
  return receiver.received.map(({ body }) => JSON.parse(body) as Body);
}

/** `trigger KEY`, in the order of arrival. */
export const eventsOf = (receiver: Receiver) =>
  bodiesOf<PagerDutyEvent>(receiver).map(({ event_action: action, dedup_key: key }) => `${action} ${key}`);

/** How many alerts stand how, `webhook waiting` to number. */
export async function statesOf(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ alert: string; count: number }[]>`
    select target || ' ' || state as alert, count(*)::int as count from reconciliation_alerts group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ alert, count }) => [alert, count]));
}
