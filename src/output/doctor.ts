import { count } from '../count.ts';
import { flowed } from '../flowed.ts';
import type { Diagnosis } from '../doctor/examination.ts';
import { plain } from '../plain.ts';
import type { Screen } from './screen.ts';

const verdictWidth = 'problem'.length;
const topicWidth = 'ledger_consistency'.length;
const margin = ' '.repeat(verdictWidth + topicWidth + 4);

/** One line for what was looked at, and one below it for what to do, of which much is there to be copied. */
export function diagnosisLines({ topic, verdict, message, next }: Diagnosis, screen: Screen): string {
  const begin = `${screen.health(verdict)}${' '.repeat(verdictWidth - verdict.length)}  ${topic.padEnd(topicWidth)}  `;
  const told = flowed(begin, screen.called(plain(message)), screen.columns, { whole: true });
  return next === null
    ? told
    : `${told}${flowed(`${margin}-> `, screen.called(plain(next)), screen.columns, { whole: true })}`;
}

/** The last line: what to do now. */
export function conclusion(
  diagnoses: readonly Diagnosis[],
  { offline }: { offline: boolean },
  { columns, called }: Screen,
): string {
  return `\n${flowed('', called(conclusionOf(diagnoses, offline)), columns, { whole: true })}`;
}

function conclusionOf(diagnoses: readonly Diagnosis[], offline: boolean): string {
  const problems = diagnoses.filter(({ verdict }) => verdict === 'problem').length;
  const warnings = diagnoses.filter(({ verdict }) => verdict === 'warning').length;
  if (problems > 0)
    return `${count(problems, 'problem')}: mend ${problems === 1 ? 'it' : 'them from the top'}, and run \`recon doctor\` again.`;
  const but = warnings > 0 ? `, with ${count(warnings, 'warning')} above` : '';
  if (offline) return `No problems${but}. Database and custodians were not looked at. Next: \`recon doctor\``;
  return `No problems${but}. Next: \`recon run --type daily\`; then \`recon schedule print\`, for what starts the runs.`;
}
