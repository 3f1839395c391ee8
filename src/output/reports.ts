import type { CheckName } from '../checks/names.ts';
import { inThousands } from '../count.ts';
import { describeDuration } from '../duration.ts';
import { plain } from '../plain.ts';
import { interrupted, type Report } from '../reports.ts';
import type { StoredCheck } from '../stored-checks.ts';
import { excerpt, localTime, shortId, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** The columns of reconciliation_reports, in the order of JSON and CSV. */
export const reportColumns = [
  'id',
  'run_type',
  'status',
  'started_at',
  'completed_at',
  'total_checks',
  'passed_checks',
  'failed_checks',
  'exceptions_count',
  'error_message',
  'metadata',
  'created_at',
] as const satisfies readonly (keyof Report)[];

/** One line per report. */
export function reportTable(reports: readonly Report[], screen: Screen): string {
  return renderTable(
    [
      { header: 'id' },
      { header: 'type' },
      { header: 'verdict' },
      { header: 'started' },
      { header: 'took', align: 'right' },
      { header: 'findings', align: 'right' },
      { header: 'checks', wraps: true },
      { header: 'note', wraps: true },
    ],
    reports.map((report) => [
      screen.strong(shortId(report.id)),
      report.run_type,
      verdictOrStatus(report, screen),
      localTime(report.started_at),
      tookText(report),
      inThousands(report.exceptions_count),
      checksText(report),
      excerpt([noteOf(report), ...scopeLines(report)].filter((part) => part !== null).join('; ')),
    ]),
    screen.columns,
  );
}

/** Of a run that died nobody knows: its report was closed when the next run found it. */
function tookText({ status, started_at: start, completed_at: end, error_message: error }: Report): string {
  if (end === null || (status === 'failed' && error === interrupted)) return '';
  return describeDuration(Date.parse(end) - Date.parse(start));
}

/** `4 passed, 1 failed, 1 incomplete`: in the column `failed_checks` the last two are one. */
function checksText({ passed_checks: passed, failed_checks: failed, metadata }: Report): string {
  const incomplete = Number(metadata['incomplete_checks'] ?? 0);
  return [[passed, 'passed'] as const, [failed - incomplete, 'failed'] as const, [incomplete, 'incomplete'] as const]
    .filter(([number]) => number > 0)
    .map(([number, verdict]) => `${number} ${verdict}`)
    .join(', ');
}

/** Why a run has no verdict: that checks were incomplete stands in their column. */
function noteOf({ error_message: error, metadata }: Report): string | null {
  return metadata['verdict'] === 'incomplete' ? null : error;
}

/** The verdict of a run, or why it has none. */
export function verdictOrStatus(report: Report, screen: Screen): string {
  const verdict = report.metadata['verdict'];
  if (verdict === 'passed' || verdict === 'failed' || verdict === 'incomplete') return screen.verdict(verdict);
  // "failed" is the word for books that disagree, and this run proved nothing
  return { pending: 'running', in_progress: 'running', failed: 'interrupted', completed: 'completed' }[report.status];
}

/** The version of the recon that made a run; undefined: it is not on record. */
export function madeBy({ metadata }: Report): string | undefined {
  const { recon_version: by } = metadata;
  return typeof by === 'string' ? excerpt(by) : undefined;
}

/** What of the books a run looked at, where it was not all. */
export function scopeLines({ metadata }: Report): string[] {
  return [
    ...notAsked({ metadata }).map(({ why, names }) => `${why}: ${excerpt(names.join(', '))}`),
    ...purgedLines(metadata['purged_at']),
    ...narrowedLines(metadata['narrowed_to'], { accounts: !isLeftOut('ledger_consistency', { metadata }) }),
  ];
}

function purgedLines(at: unknown): string[] {
  return typeof at === 'string'
    ? [`purged ${localTime(at)}: only what was seen first or last in this run is left of its findings`]
    : [];
}

function isLeftOut(check: CheckName, report: Pick<Report, 'metadata'>): boolean {
  return notAsked(report).some(({ names }) => names.includes(check));
}

/** `accounts`: whether a check looked at them. */
function narrowedLines(narrowed: unknown, { accounts }: { accounts: boolean }): string[] {
  if (typeof narrowed !== 'object' || narrowed === null) return [];
  const parts = Object.entries(narrowed).filter((part): part is [string, string] => typeof part[1] === 'string');
  const told = parts.map(([name, value]) => `${name} ${name === 'user_id' ? excerpt(value) : localTime(value)}`);
  return [
    `narrowed to ${told.join(', ')}: clears nothing`,
    ...(accounts && parts.some(([name]) => name !== 'user_id')
      ? ['accounts without an entry in that time are not looked at']
      : []),
  ];
}

/** What is said of some checks, each behind their names: what is said of several stands once. */
export function togetherSaid(said: readonly (readonly [check: string, text: string])[]): string[] {
  const named = new Map<string, string[]>();
  for (const [check, text] of said) named.set(text, [...(named.get(text) ?? []), plain(check)]);
  return [...named].map(([text, names]) => `${names.join(', ')}: ${text}`);
}

/** Why checks could not tell, of each no more than `length` characters. */
export function whyIncompleteLines(
  checks: readonly Pick<StoredCheck, 'check_type' | 'error_message'>[],
  length?: number,
): string[] {
  return togetherSaid(
    checks.flatMap(({ check_type: name, error_message: error }) =>
      error === null ? [] : [[name, excerpt(error, length)] as const],
    ),
  );
}

/** The checks that are not in a report. Their names are as they stand there. */
export function notAsked({ metadata }: Pick<Report, 'metadata'>): { why: string; names: string[] }[] {
  return [
    { why: 'off (RECONCILIATION_CHECKS)', names: metadata['off'] },
    { why: 'not in this run', names: metadata['not_in_this_run'] },
  ].flatMap(({ why, names }) => (Array.isArray(names) ? [{ why, names: names.map(String) }] : []));
}
