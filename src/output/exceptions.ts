import type { StoredException } from '../exceptions/exception.ts';
import { plain } from '../plain.ts';
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
