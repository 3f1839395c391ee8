import { plain } from '../plain.ts';
import { countOf, type Group, type News } from './news.ts';

/** One line that says what a run has to tell. */
export function headlineOf(news: News): string {
  const { environment, report, incomplete, failure, missed } = news;
  const heldBack = news.heldBack ?? [];
  const slots = missed.reduce((all, { count }) => all + count, 0);
  const parts = [
    counted(countOf(news, 'new'), 'new'),
    counted(countOf(news, 'escalated'), 'escalated'),
    counted(countOf(news, 'cleared'), 'cleared'),
    counted(incomplete.length, incomplete.length === 1 ? 'check incomplete' : 'checks incomplete'),
    failure === null ? '' : 'no result',
    counted(slots, slots === 1 ? 'run missed before' : 'runs missed before'),
    counted(heldBack.length, heldBack.length === 1 ? 'kind not corrected' : 'kinds not corrected'),
  ];
  return `recon ${cut(environment, 40)}: ${report.run_type} run: ${parts.filter((part) => part !== '').join(', ')}`;
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}`;
}

/** `3 new critical of deposits: 1200 USDC`. */
export function groupLine({ count, change, severity, check_type: check, amount, currency }: Group): string {
  const sum = amount === null ? '' : `: ${amount} ${cut(currency ?? '', 12)}`;
  return `${count} ${change} ${severity} of ${check}${sum}`;
}

/** `hourly: 3 runs missed, 08:00, 09:00 and 10:00 …` with whole times in UTC; the last ones where there are many. */
export function missedLines({ missed }: News): string[] {
  return missed.map(({ run_type: type, count, slots }) => {
    const last = slots.slice(-6);
    const dots = count > last.length ? '…, ' : '';
    return `${type}: ${count === 1 ? 'the run' : `${count} runs`} expected at ${dots}${last.join(', ')} did not come`;
  });
}

/** `21 low findings of balance_drift have one cause: none was corrected`. */
export function heldBackLines({ heldBack }: News): string[] {
  return (heldBack ?? []).map(
    ({ kind, count }) => `${count} low findings of ${kind} have one cause: none was corrected`,
  );
}

/** Foreign text on one line, of at most so many characters. */
export function cut(text: string, most: number): string {
  const line = plain(text);
  const characters = Array.from(line);
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}
