import { createHash } from 'node:crypto';
import { checkNames } from '../checks/names.ts';
import { cut } from '../cut.ts';
import type { Severity } from '../kinds.ts';
import type { Incident } from './incidents.ts';
import { countOf, isOver, largestMax, type News, type ToldException } from './news.ts';
import { heldBackLines, missedLines, next } from './wording.ts';

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

/** The same for the same trouble, whichever run tells of it. A key takes 255 characters. */
export function keyOf(environment: string, name: string): string {
  const key = `recon/${environment}/${name}`;
  return key.length <= 255 ? key : `recon/sha256/${createHash('sha256').update(key).digest('hex')}`;
}
