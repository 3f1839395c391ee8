import type { StoredException } from '../exceptions/exception.ts';
import type { Total } from '../exceptions/list-totals.ts';
import { severities, type Severity } from '../kinds.ts';
import { toText, zero, type Money } from '../money.ts';
import { count, cut, localTime, shortId, shortSubject, type Screen } from './screen.ts';
import { renderTable, widthOf, type Column } from './table.ts';

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
  'acknowledged_at',
  'acknowledged_by',
  'assignee',
  'snoozed_until',
  'accepted_until',
  'last_report_id',
  'last_seen_at',
  'occurrences',
  'previous_exception_id',
  'metadata',
  'created_at',
] as const satisfies readonly (keyof StoredException)[];

interface ExceptionColumn extends Column {
  cell: (exception: StoredException, screen: Screen) => string;
}

const columns = {
  id: { header: 'id', cell: ({ id }, screen) => screen.strong(id === null ? '-' : shortId(id)) },
  severity: { header: 'severity', cell: ({ severity }, screen) => screen.severity(severity) },
  kind: { header: 'kind', cell: ({ kind }) => cut(kind) },
  subject: { header: 'subject', cell: (exception) => subjectAndAmount(exception)[0] },
  difference: { header: 'difference', align: 'right', cell: (exception) => subjectAndAmount(exception)[1] },
  currency: { header: '', cell: (exception) => subjectAndAmount(exception)[2] },
  // of what a dry run found nobody knows since when or how often: it did not look into the past
  since: { header: 'since', cell: ({ id, created_at: since }) => (id === null ? '-' : localTime(since)) },
  day: { header: 'since', cell: ({ id, created_at: since }) => (id === null ? '-' : localTime(since).slice(0, 10)) },
  seen: { header: 'seen', align: 'right', cell: ({ id, occurrences }) => (id === null ? '-' : `${occurrences}x`) },
  station: { header: '', cell: stationOf },
} satisfies Record<string, ExceptionColumn>;

const always = ['id', 'severity', 'kind', 'subject', 'difference', 'currency'] as const;

/** From the widest to the narrowest. */
const layouts: (keyof typeof columns)[][] = [
  [...always, 'since', 'seen', 'station'],
  [...always, 'day', 'seen', 'station'],
  [...always, 'day', 'station'],
  [...always, 'day'],
  [...always],
];

/** One line per exception, with as much of its life as the screen is wide. */
export function exceptionTable(exceptions: readonly StoredException[], screen: Screen): string {
  let table = '';
  for (const layout of layouts) {
    const shown: ExceptionColumn[] = layout.map((name) => columns[name]);
    table = renderTable(
      shown,
      exceptions.map((exception) => shown.map(({ cell }) => cell(exception, screen))),
    );
    if (widthOf(table) <= screen.columns) break;
  }
  return table;
}

/** numeric(36,18) with its sign and brackets: what is longer is nobody's money. */
const longestAmount = 42;

/** The cells of the subject, of the difference or what is at stake, and of the currency. */
export function subjectAndAmount(exception: StoredException): [string, string, string] {
  return [
    exception.affected_entity === null ? '-' : shortSubject(exception.affected_entity),
    cut(exception.difference ?? stakeOf(exception) ?? '-', longestAmount),
    cut(exception.currency ?? ''),
  ];
}

/** Where it is in its life. */
export function stationOf(exception: StoredException): string {
  const { resolved_at: resolved, snoozed_until: snoozed, accepted_until: accepted, assignee } = exception;
  if (resolved !== null) return 'resolved';
  const day = (time: string) => localTime(time).slice(0, 10);
  return [
    accepted !== null && `accepted until ${day(accepted)}`,
    snoozed !== null && `snoozed until ${localTime(snoozed).slice(0, 16)}`,
    exception.acknowledged_by !== null && assignee === null && `taken up by ${cut(exception.acknowledged_by)}`,
    assignee !== null && `with ${cut(assignee)}`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

/** `(100.5)`: what is at stake where there is no difference. */
function stakeOf(exception: StoredException): string | undefined {
  const stake = exception.metadata['stake'];
  return typeof stake === 'string' ? `(${stake})` : undefined;
}

/**
 * What stands at the foot of a list: how many of how many, their amounts, and the command that shows the next ones.
 * @param apart those that match, but are not listed because they are not open
 */
export function footOf(
  shown: number,
  totals: readonly Total[],
  apart: readonly Total[],
  next: string | undefined,
): string {
  const states = (['snoozed', 'accepted'] as const).map((state) => ({ state, number: numberOf(apart, state) }));
  const others = states
    .filter(({ number }) => number > 0)
    .map(({ state, number }) => `${inThousands(number)} ${state}`);
  const notListed = others.length === 0 ? '' : `Not listed: ${others.join(', ')} (--status unresolved).\n`;
  return `${partOf(shown, totals, next)}\n${notListed}`;
}

function partOf(shown: number, totals: readonly Total[], next: string | undefined): string {
  const matching = numberOf(totals);
  const all = totalsText(totals);
  if (shown === matching) return `${all}.`;
  if (shown === 0) return `${all}, none after that one.`;
  return `${inThousands(shown)} of ${all}${next === undefined ? ', the last ones.' : `; the next ones: ${next}`}`;
}

function numberOf(totals: readonly Total[], state?: Total['state']): number {
  return totals.reduce((all, total) => (state === undefined || total.state === state ? all + total.count : all), 0);
}

function inThousands(number: number): string {
  return number.toLocaleString('en-US');
}

/** `3 exceptions (1 critical, 2 low), 100.5 USDC, 3 USD`. */
export function totalsText(totals: readonly Total[]): string {
  if (totals.length === 0) return 'no exceptions';
  const ofSeverity = (severity: Severity) => numberOf(totals.filter((total) => total.severity === severity));
  const parts = severities
    .toReversed()
    .filter((severity) => ofSeverity(severity) > 0)
    .map((severity) => `${inThousands(ofSeverity(severity))} ${severity}`);
  return [`${count(numberOf(totals), 'exception')} (${parts.join(', ')})`, ...amountsOf(totals)].join(', ');
}

/** More currencies than a screen can hold are not those of our books. */
const currenciesShown = 4;

function amountsOf(totals: readonly Total[]): string[] {
  const byCurrency = new Map<string, Money>();
  for (const { currency, amount } of totals)
    byCurrency.set(currency ?? '', (byCurrency.get(currency ?? '') ?? zero).plus(amount));
  const amounts = [...byCurrency]
    .filter(([, amount]) => !amount.isZero())
    .map(([currency, amount]) => `${toText(amount)} ${currency === '' ? 'without currency' : cut(currency)}`);
  const more = amounts.length - currenciesShown;
  return more > 0 ? [...amounts.slice(0, currenciesShown), `and ${count(more, 'other sum')}`] : amounts;
}
