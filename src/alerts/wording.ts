import type { KindCount } from '../corrections/automatic.ts';
import { cut } from '../cut.ts';
import type { Missed } from '../schedule/punctuality.ts';
import { changes, countOf, isOver, type Group, type News } from './news.ts';

/** One line that says what there is to tell. */
export function headlineOf(news: News): string {
  const { environment, report, incomplete, failure, missed } = news;
  const heldBack = news.heldBack ?? [];
  const slots = missed.reduce((all, { count }) => all + count, 0);
  const parts = [
    ...changes.map((change) => counted(countOf(news, change), change)),
    counted(incomplete.length, incomplete.length === 1 ? 'check incomplete' : 'checks incomplete'),
    failure === null ? '' : 'no result',
    counted(slots, slots === 1 ? 'run missed before' : 'runs missed before'),
    counted(heldBack.length, heldBack.length === 1 ? 'kind not corrected' : 'kinds not corrected'),
  ];
  const who = report === null ? 'by hand' : `${report.run_type} run`;
  return `recon ${cut(environment, 40)}: ${who}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}`;
}

/** `3 new critical of deposits: 1200 USDC`. */
export function groupLine({ count, change, severity, check_type: check, amount, currency }: Group): string {
  const sum = amount === null ? '' : `: ${amount} ${currency ?? ''}`;
  return `${count} ${change} ${severity} of ${check}${sum}`;
}

/** `hourly: 3 runs expected at …, 09:00, 10:00 did not come`, with whole times in UTC; the last ones where there are many. */
export function missedLine({ run_type: type, count, slots }: Missed): string {
  const last = slots.slice(-6);
  const dots = count > last.length ? '…, ' : '';
  return `${type}: ${count === 1 ? 'the run' : `${count} runs`} expected at ${dots}${last.join(', ')} did not come`;
}

/** `21 low findings of balance_drift have one cause: none was corrected`. */
export function heldBackLine({ kind, count }: KindCount): string {
  return `${count} low findings of ${kind} have one cause: none was corrected`;
}

/** What to type next, about the worst first. */
export function nextSteps({ report, failure, missed, incomplete, heldBack, largest }: News): string[] {
  const [worst] = largest.filter((exception) => !isOver(exception));
  return [
    ...(failure === null ? [] : [next.failure]),
    ...(missed.length === 0 ? [] : [next.missed]),
    ...(incomplete.length === 0 ? [] : [next.incomplete(report)]),
    ...(heldBack ?? []).map(({ kind }) => next.heldBack(kind)),
    ...(worst === undefined ? [] : [next.exception(worst.id)]),
    ...(largest.length > 1 ? [next.exceptions] : []),
  ];
}

/** What to type about one thing. */
export const next = {
  failure: 'recon doctor',
  missed: 'recon status',
  incomplete: (report: News['report']) => `recon reports show ${report?.id.slice(0, 8) ?? 'latest'}`,
  exception: (id: string) => `recon exceptions show ${id.slice(0, 8)}`,
  exceptions: 'recon exceptions list',
  heldBack: (kind: string) => `recon exceptions list --kind ${kind}`,
};
