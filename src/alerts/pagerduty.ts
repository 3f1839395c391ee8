import { createHash } from 'node:crypto';
import { checkNames } from '../checks/names.ts';
import { automaticKinds } from '../corrections/index.ts';
import type { Transaction } from '../database/database.ts';
import type { Answer, Outgoing } from '../exchange.ts';
import type { Severity } from '../kinds.ts';
import { countsFor, scheduledTypes } from '../schedule/schedule.ts';
import { acknowledgeFollowed, closeFollowed, closeIncidents, openIncidents, type Incident } from './incidents.ts';
import type { Message } from './message.ts';
import { cut } from '../cut.ts';
import { countOf, largestMax, type News, type ToldException } from './news.ts';
import type { PagerDutyConfig } from './target.ts';
import { heldBackLines, missedLines, next } from './wording.ts';

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
  const triggers = [...exceptionTriggers(news), ...runTriggers(news)];
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

interface Trigger {
  incident: Incident;
  severity: Severity;
  summary: string;
  component: string;
  class: string;
  details: Record<string, unknown>;
}

/** One event for each exception, or where they are too many one for each check. */
function exceptionTriggers(news: News): Trigger[] {
  if (countOf(news, 'new', 'escalated', 'reopened', 'standing') > largestMax) return checkTriggers(news);
  return news.largest
    .filter(({ change }) => change !== 'cleared')
    .map((exception) => exceptionTrigger(exception, news));
}

function exceptionTrigger(exception: ToldException, { environment, report }: News): Trigger {
  const {
    id,
    check_type: check,
    kind,
    severity,
    description,
    expected,
    actual,
    difference,
    currency,
    fingerprint,
  } = exception;
  return {
    incident: { key: keyOf(environment, fingerprint), exceptionId: id },
    severity,
    summary: `${check}: ${description}`,
    component: check,
    class: kind,
    details: {
      exception_id: id,
      severity,
      check_type: check,
      kind,
      description,
      expected,
      actual,
      difference,
      currency,
      report_id: report?.id ?? exception.report_id,
      next: next.exception(id),
    },
  };
}

/** One event per check, of the highest severity among its exceptions, with the totals. */
function checkTriggers({ environment, groups }: News): Trigger[] {
  const opened = groups.filter(({ change }) => change !== 'cleared');
  return checkNames.flatMap((check) => {
    const [worst, ...others] = opened.filter((group) => group.check_type === check);
    if (worst === undefined) return [];
    const all = [worst, ...others];
    const count = all.reduce((sum, group) => sum + group.count, 0);
    return [
      {
        incident: { key: keyOf(environment, check), check },
        severity: worst.severity,
        summary: `${check}: ${count} exceptions at once`,
        component: check,
        class: 'many_exceptions',
        details: { check_type: check, totals: all, next: `${next.exceptions} --check ${check}` },
      },
    ];
  });
}

/** What is wrong with the run itself. */
function runTriggers(news: News): Trigger[] {
  const { environment, report, incomplete, failure, missed, heldBack } = news;
  if (report === null) return [];
  const trigger = (name: string, kind: string, summary: string, command: string): Trigger => {
    const details = { run_type: report.run_type, reason: summary, next: command };
    const incident = { key: keyOf(environment, name) };
    return { incident, severity: 'high', summary, component: 'recon', class: kind, details };
  };
  const lines = missedLines(news);
  const linesOfKinds = heldBackLines(news);
  const { run_type: type } = report;
  return [
    ...incomplete.map(({ check_type: check, reason }) =>
      trigger(
        `incomplete/${check}`,
        'incomplete',
        `${check} could not tell: ${cut(reason, 800)}`,
        next.incomplete(report),
      ),
    ),
    ...(failure === null
      ? []
      : [
          trigger(
            `run/${type}`,
            'no_result',
            `The ${type} run ended without a result: ${cut(failure, 800)}`,
            next.failure,
          ),
        ]),
    ...missed.map(({ run_type: late }, index) => trigger(`missed/${late}`, 'missed', lines[index] ?? '', next.missed)),
    ...(heldBack ?? []).map(({ kind }, index) =>
      trigger(`not_corrected/${kind}`, 'not_corrected', linesOfKinds[index] ?? '', next.heldBack(kind)),
    ),
  ];
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

/** The same for the same trouble, whichever run tells of it. A key takes 255 characters. */
function keyOf(environment: string, name: string): string {
  const key = `recon/${environment}/${name}`;
  return key.length <= 255 ? key : `recon/sha256/${createHash('sha256').update(key).digest('hex')}`;
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
