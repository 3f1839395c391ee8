import { createHash } from 'node:crypto';
import { isCheckName } from '../checks/names.ts';
import { worse } from '../checks/severity.ts';
import { cut } from '../cut.ts';
import type { Severity } from '../kinds.ts';
import type { Incident } from './incidents.ts';
import { countOf, isOver, largestMax, type News, type ToldException } from './news.ts';
import { heldBackLine, missedLine, next } from './wording.ts';

/** Something that is wrong now, for which somebody may be called. */
export interface Trigger {
  incident: Incident;
  severity: Severity;
  summary: string;
  component: string;
  class: string;
  details: Record<string, unknown>;
}

/** All that is wrong now: exceptions, and the run itself. */
export function triggersOf(news: News): Trigger[] {
  return [...exceptionTriggers(news), ...runTriggers(news)];
}

/** One event for each exception, or where they are too many one for each check. */
function exceptionTriggers(news: News): Trigger[] {
  if (countOf(news, 'new', 'escalated', 'reopened', 'standing') > largestMax) return checkTriggers(news);
  return news.largest.filter((exception) => !isOver(exception)).map((exception) => exceptionTrigger(exception, news));
}

function exceptionTrigger(exception: ToldException, { environment, report }: News): Trigger {
  const { id, fingerprint, severity, kind, check_type: check } = exception;
  const { description, expected, actual, difference, currency } = exception;
  return {
    incident: { key: keyOf(environment, fingerprint), exceptionId: id },
    severity,
    summary: `${check}: ${description}`,
    component: check,
    class: kind,
    details: {
      exception_id: id,
      ...{ severity, check_type: check, kind, description, expected, actual, difference, currency },
      report_id: report?.id ?? exception.report_id,
      next: next.exception(id),
    },
  };
}

/** One event per check, of the highest severity among its exceptions, with the totals. */
function checkTriggers({ environment, groups }: News): Trigger[] {
  const opened = groups.filter((group) => !isOver(group));
  // what was adopted from the first version may name checks of its own
  return [...new Set(opened.map((group) => group.check_type))].map((check) => {
    const all = opened.filter((group) => group.check_type === check);
    const count = all.reduce((sum, group) => sum + group.count, 0);
    return {
      incident: { key: keyOf(environment, check), check },
      severity: all.map(({ severity }) => severity).reduce(worse),
      summary: `${check}: ${count} exceptions at once`,
      component: check,
      class: 'many_exceptions',
      details: {
        check_type: check,
        totals: all,
        next: isCheckName(check) ? `${next.exceptions} --check ${check}` : next.exceptions,
      },
    };
  });
}

/** What is wrong with the run itself. */
function runTriggers(news: News): Trigger[] {
  const { environment, report } = news;
  if (report === null) return [];
  return [...troublesOf(news, report.run_type)].map(({ name, kind, summary, command }) => ({
    incident: { key: keyOf(environment, name) },
    severity: 'high',
    summary,
    component: 'recon',
    class: kind,
    details: { run_type: report.run_type, reason: summary, next: command },
  }));
}

interface Trouble {
  /** What the key of its incident ends with. */
  name: string;
  kind: string;
  summary: string;
  /** What to type next. */
  command: string;
}

function* troublesOf(news: News, type: string): Generator<Trouble> {
  const { report, incomplete, failure, missed, heldBack } = news;
  for (const { check_type: check, reason } of incomplete) {
    const summary = `${check} could not tell: ${cut(reason, 800)}`;
    yield { name: `incomplete/${check}`, kind: 'incomplete', summary, command: next.incomplete(report) };
  }
  if (failure !== null) {
    const summary = `The ${type} run ended without a result: ${cut(failure, 800)}`;
    yield { name: `run/${type}`, kind: 'no_result', summary, command: next.failure };
  }
  for (const late of missed)
    yield { name: `missed/${late.run_type}`, kind: 'missed', summary: missedLine(late), command: next.missed };
  for (const held of heldBack ?? []) {
    const command = next.heldBack(held.kind);
    yield { name: `not_corrected/${held.kind}`, kind: 'not_corrected', summary: heldBackLine(held), command };
  }
}

/** The same for the same trouble, whichever run tells of it. A key takes 255 characters. */
export function keyOf(environment: string, name: string): string {
  const key = `recon/${environment}/${name}`;
  return key.length <= 255 ? key : `recon/sha256/${createHash('sha256').update(key).digest('hex')}`;
}
