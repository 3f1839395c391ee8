import type { ExceptionEvent, Sighting, StoredException } from '../exceptions/exception.ts';
import { kindNamed, kinds } from '../kinds.ts';
import { plain } from '../plain.ts';
import { custodyFields, custodyLines } from './custody.ts';
import { count, localTime, shortId, shortSubject, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** The columns of reconciliation_exceptions, in the order of JSON and CSV. */
export const exceptionColumns = [
  'id',
  'report_id',
  'check_id',
  'check_type',
  'kind',
  'fingerprint',
  'severity',
  'description',
  'expected_value',
  'actual_value',
  'difference',
  'currency',
  'affected_user_id',
  'affected_entity',
  'auto_corrected',
  'correction_action',
  'resolved_at',
  'resolved_by',
  'resolution_notes',
  'last_report_id',
  'last_seen_at',
  'occurrences',
  'previous_exception_id',
  'metadata',
  'created_at',
] as const satisfies readonly (keyof StoredException)[];

/** One line per exception. */
export function exceptionTable(exceptions: readonly StoredException[], screen: Screen): string {
  return renderTable(
    [
      { header: 'id' },
      { header: 'severity' },
      { header: 'kind' },
      { header: 'subject' },
      { header: 'difference', align: 'right' },
      { header: '' },
      { header: 'since' },
      { header: 'seen', align: 'right' },
    ],
    exceptions.map((exception) => [
      screen.strong(exception.id === null ? '-' : shortId(exception.id)),
      screen.severity(exception.severity),
      plain(exception.kind),
      exception.affected_entity === null ? '-' : shortSubject(exception.affected_entity),
      plain(exception.difference ?? stakeOf(exception) ?? '-'),
      plain(exception.currency ?? ''),
      ...lifeOf(exception),
    ]),
  );
}

/** Since when and how often: of what a dry run found nobody knows, it did not look into the past. */
function lifeOf({ id, created_at: since, occurrences, resolved_at: resolvedAt }: StoredException): [string, string] {
  return id === null ? ['-', '-'] : [localTime(since), `${occurrences}x${resolvedAt === null ? '' : ' resolved'}`];
}

/** `(100.5)`: what is at stake where there is no difference. */
function stakeOf(exception: StoredException): string | undefined {
  const stake = exception.metadata['stake'];
  return typeof stake === 'string' ? `(${stake})` : undefined;
}

/** How many are shown of how many, and the command that shows the next ones, for the foot of a list. */
export function shownOf(shown: number, matching: number, next: string | undefined): string {
  if (matching === 0) return 'no exceptions.\n';
  if (shown === matching) return `${count(matching, 'exception')}.\n`;
  if (shown === 0) return `${count(matching, 'exception')}, none after that one.\n`;
  const part = `${shown.toLocaleString('en-US')} of ${count(matching, 'exception')}`;
  return next === undefined ? `${part}, the last ones.\n` : `${part}; the next ones: ${next}\n`;
}

/** The whole story of one exception. */
export function exceptionStory(
  exception: StoredException & { id: string },
  history: { sightings: readonly Sighting[]; events: readonly ExceptionEvent[] },
  environment: string,
  screen: Screen,
): string {
  const unit = exception.currency === null ? '' : ` ${plain(exception.currency)}`;
  const amount = (value: string | null) => (value === null ? 'none' : `${plain(value)}${unit}`);
  const facts: [string, string][] = [
    ['exception', exception.id],
    ['environment', plain(environment)],
    ['severity', screen.severity(exception.severity)],
    ['check', plain(exception.check_type)],
    ['kind', plain(exception.kind)],
    ['subject', plain(exception.affected_entity ?? 'none')],
    ['user', plain(exception.affected_user_id ?? 'none')],
    ['expected', amount(exception.expected_value)],
    ['actual', amount(exception.actual_value)],
    ['difference', amount(exception.difference)],
    ['since', localTime(exception.created_at)],
    ['last seen', `${localTime(exception.last_seen_at)}, ${count(exception.occurrences, 'time')} in all`],
    ['returned from', plain(exception.previous_exception_id ?? '')],
    ['resolved', resolutionOf(exception)],
    ...Object.entries(exception.metadata)
      .filter(([name]) => !(custodyFields as readonly string[]).includes(name))
      .map(([name, value]): [string, string] => [
        plain(name),
        plain(typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
  ];
  const lines = facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${screen.faint(name.padEnd(22))} ${value}`);
  return [
    screen.strong(plain(exception.description)),
    '',
    ...lines,
    ...custodyLines(exception, screen),
    '',
    ...remedyOf(exception, screen),
    ...history.sightings.map(
      (sighting) =>
        `  ${screen.faint('seen')} ${localTime(sighting.seen_at)}  ${sighting.severity}  ${amount(sighting.difference)}  report ${shortId(sighting.report_id)}`,
    ),
    ...history.events.map(
      (event) =>
        `  ${screen.faint('log')}  ${localTime(event.created_at)}  ${plain(event.event)} by ${plain(event.actor)}${event.note === null ? '' : `: ${plain(event.note)}`}`,
    ),
    '',
  ].join('\n');
}

function resolutionOf(exception: StoredException): string {
  if (exception.resolved_at === null) return '';
  return `${localTime(exception.resolved_at)} by ${plain(exception.resolved_by ?? 'nobody')}: ${plain(exception.resolution_notes ?? '')}`;
}

function remedyOf(exception: StoredException & { id: string }, screen: Screen): string[] {
  if (exception.resolved_at !== null || !kinds.some(({ name }) => name === exception.kind)) return [];
  return [
    `  ${screen.faint('what to do')}   ${kindNamed(exception.kind).remedy}`,
    `  ${screen.faint('then')}         recon exceptions resolve ${shortId(exception.id)} --by NAME --note TEXT`,
    '',
  ];
}
