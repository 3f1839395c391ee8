import { createHmac } from 'node:crypto';
import type { Answer, Outgoing } from '../exchange.ts';
import type { Message } from './message.ts';
import type { News, ToldException } from './news.ts';
import type { WebhookConfig } from './target.ts';
import { cut } from '../cut.ts';
import { headlineOf, nextSteps } from './wording.ts';

// Standard Webhooks 1.0.0, as API-FACTS.md D.3 has it.

/** The one message about a run. */
export function webhookMessage(news: News): Message {
  const { at, report, environment, groups, largest, incomplete, failure, missed, heldBack } = news;
  const summary = headlineOf(news);
  const data = {
    environment,
    summary,
    report_id: report?.id ?? null,
    run_type: report?.run_type ?? null,
    failure: failure === null ? null : cut(failure, 600),
    totals: groups,
    exceptions: largest.map((exception) => ofException(exception, news)),
    incomplete_checks: incomplete.map(({ check_type, reason }) => ({ check_type, reason: cut(reason, 600) })),
    missed_runs: missed,
    not_corrected: heldBack ?? [],
    next: nextSteps(news),
  };
  return { summary, body: { type: 'reconciliation.alert', timestamp: at, data } };
}

function ofException({ fingerprint, ...exception }: ToldException, { report, at }: News) {
  return {
    ...exception,
    fingerprint: cut(fingerprint, 300),
    report_id: report?.id ?? exception.report_id,
    timestamp: at,
  };
}

/** Signed with every secret, each time anew: the id stays, the time is that of the attempt. */
export function webhookRequest({ url, secrets }: WebhookConfig, body: object, id: string, now: Date): Outgoing {
  const text = JSON.stringify(body);
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signatures = secrets.map((secret) => signatureOf(secret, `${id}.${timestamp}.${text}`));
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
  };
  return { method: 'POST', url, headers, body: text };
}

function signatureOf(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

export function webhookTook({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}
