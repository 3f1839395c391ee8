import { automaticKinds } from '../corrections/index.ts';
import type { Transaction } from '../database/database.ts';
import type { Answer, Outgoing } from '../exchange.ts';
import type { Severity } from '../kinds.ts';
import { countsFor, scheduledTypes } from '../schedule/schedule.ts';
import { acknowledgeFollowed, closeFollowed, closeIncidents, openIncidents } from './incidents.ts';
import type { Message } from './message.ts';
import { cut } from '../cut.ts';
import type { News } from './news.ts';
import type { PagerDutyConfig } from './target.ts';
import { keyOf, triggersOf, type Trigger } from './triggers.ts';

// PagerDuty Events API v2, limits and meanings: API-FACTS.md D.2.

/** PagerDuty takes 120 events a minute for each key. */
export const pagerDutyPace = { burst: 30, gapMs: 500 };

/**
 * The events about what happened, oldest meaning first: what is over, what somebody has taken up, what is wrong now. Remembers
 * what it opens. Only a run that `clears` ends an incident of a run or of a check that could not tell.
 */
export async function pagerDutyMessages(
  transaction: Transaction,
  schema: string,
  news: News,
  { severity }: PagerDutyConfig,
  clears: boolean,
): Promise<Message[]> {
  const followed = await followExceptions(transaction, schema, severity, news.at);
  const over = clears ? await closeIncidents(transaction, schema, keysOver(news)) : [];
  const triggers = triggersOf(news);
  await openIncidents(
    transaction,
    schema,
    triggers.map(({ incident }) => incident),
    news.at,
  );
  return [...followed, ...over.map(resolveOf), ...triggers.map((trigger) => triggerOf(trigger, news))];
}

/** What became of exceptions that PagerDuty knows of, also at the hand of people: resolved, accepted, acknowledged. */
async function followExceptions(
  transaction: Transaction,
  schema: string,
  severity: Severity,
  now: string,
): Promise<Message[]> {
  const over = await closeFollowed(transaction, schema, severity, now);
  const acknowledged = await acknowledgeFollowed(transaction, schema);
  return [...over.map(resolveOf), ...acknowledged.map(acknowledgeOf)];
}

export function pagerDutyRequest({ url, key }: PagerDutyConfig, body: object): Outgoing {
  const text = JSON.stringify({ routing_key: key, ...body });
  return { method: 'POST', url, headers: { 'content-type': 'application/json' }, body: text };
}

export function pagerDutyTook({ status }: Answer): boolean {
  return status === 202;
}

/** What the events about one incident have in common: they are delivered in their order. */
export function keyIn(body: object): string | undefined {
  return 'dedup_key' in body && typeof body.dedup_key === 'string' ? body.dedup_key : undefined;
}

/** What a run shows to be over: of a check only if it was compared, of runs only if this one left no check out. */
function keysOver({ environment, report, compared, isWhole, incomplete, failure, missed, heldBack }: News): string[] {
  if (report === null || failure !== null) return [];
  const unknown = incomplete.map(({ check_type: check }) => check);
  const late = missed.map(({ run_type: type }) => type);
  const corrected =
    heldBack === null ? [] : automaticKinds.filter((name) => !heldBack.some(({ kind }) => kind === name));
  const kept = scheduledTypes.filter((type) => countsFor[type].includes(report.run_type) && !late.includes(type));
  return [
    ...compared.filter((check) => !unknown.includes(check)).map((check) => `incomplete/${check}`),
    ...(isWhole ? [`run/${report.run_type}`, ...kept.map((type) => `missed/${type}`)] : []),
    ...corrected.map((kind) => `not_corrected/${kind}`),
  ].map((name) => keyOf(environment, name));
}

function triggerOf(
  { incident, severity, summary, component, class: kind, details }: Trigger,
  { environment, at, report }: News,
): Message {
  const body = {
    event_action: 'trigger',
    dedup_key: incident.key,
    client: 'recon',
    payload: {
      summary: cut(summary, 1_000),
      source: `recon ${cut(environment, 100)}`,
      severity: pagerDutySeverity[severity],
      timestamp: at,
      component,
      group: 'reconciliation',
      class: kind,
      custom_details: { environment, report_id: report?.id ?? null, timestamp: at, ...details },
    },
  };
  return { summary: `trigger ${cut(summary, 200)}`, body };
}

const pagerDutySeverity = { critical: 'critical', high: 'error', medium: 'warning', low: 'info' } as const;

function resolveOf(key: string): Message {
  return { summary: `resolve ${cut(key, 200)}`, body: { event_action: 'resolve', dedup_key: key } };
}

function acknowledgeOf(key: string): Message {
  return { summary: `acknowledge ${cut(key, 200)}`, body: { event_action: 'acknowledge', dedup_key: key } };
}
