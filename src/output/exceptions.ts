import { count, inThousands } from '../count.ts';
import { describeAge } from '../duration.ts';
import { flowed } from '../flowed.ts';
import type { Items } from '../database/list-of.ts';
import { stakeOf, subjectOf, versionOf, type StoredException } from '../exceptions/exception.ts';
import type { Total } from '../exceptions/list-totals.ts';
import { stateAt } from '../exceptions/state.ts';
import { severities, type Severity } from '../kinds.ts';
import { toText, zero, type Money } from '../money.ts';
import { plain } from '../plain.ts';
import {
  currencyOfSum,
  currencyText,
  cut,
  fits,
  localTime,
  shortenerOf,
  shortId,
  shortSubject,
  type Screen,
  type Shorten,
} from './screen.ts';
import { renderTable, type Column } from './table.ts';

/** The columns of CSV: those of reconciliation_exceptions, in the order of JSON, and what is at stake. */
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
  'stake',
] as const satisfies readonly (keyof StoredException | 'stake')[];

/** What a list that is to come back has beside them: by what `apply` knows the amounts, and what a person enters. */
export const worklistColumns = ['version', 'action', 'note', 'until'];

/** The rows of CSV. */
export async function* exceptionRows(exceptions: Items<StoredException>): AsyncGenerator<object> {
  for await (const exception of exceptions)
    yield { ...exception, stake: stakeOf(exception.metadata) ?? null, version: versionOf(exception) };
}

interface ExceptionColumn extends Column {
  cell: (exception: StoredException, now: Date, screen: Screen, shorten: Shorten) => string;
}

/** What and how much first, where and since when behind it: on a narrow screen these stand below. */
const columns: readonly ExceptionColumn[] = [
  { header: 'id', cell: ({ id }, _, screen) => screen.strong(id === null ? '-' : shortId(id)) },
  { header: 'severity', cell: ({ severity }, _, screen) => screen.severity(severity) },
  { header: 'kind', cell: ({ kind }) => cut(kind) },
  {
    header: 'difference',
    align: 'right',
    cell: (exception, _now, _screen, shorten) => subjectAndAmount(exception, shorten)[1],
  },
  { header: '', cell: (exception, _now, _screen, shorten) => subjectAndAmount(exception, shorten)[2] },
  { header: 'subject', cell: (exception, _now, _screen, shorten) => subjectAndAmount(exception, shorten)[0] },
  {
    header: 'user',
    cell: ({ affected_user_id: user }, _now, _screen, shorten) => (user === null ? '-' : shorten(user)),
  },
  // of what a dry run found nobody knows since when or how often: it did not look into the past
  {
    header: 'since',
    cell: ({ id, created_at: since }, now, screen) => (id === null ? '-' : sinceOf(since, now, screen)),
  },
  { header: 'seen', align: 'right', cell: ({ id, occurrences }) => (id === null ? '-' : `${occurrences}x`) },
  { header: '', wraps: true, cell: stationOf },
];

/** Each with where it is in its life. */
export function exceptionTable(exceptions: readonly StoredException[], now: Date, screen: Screen): string {
  const shorten = shortenerOfHost(exceptions);
  const rows = exceptions.map((exception) => columns.map(({ cell }) => cell(exception, now, screen, shorten)));
  return renderTable(columns, rows, screen.columns);
}

/** How the ids of the host are cut in a list of exceptions: its own ids are random. */
export function shortenerOfHost(exceptions: readonly StoredException[]): Shorten {
  return shortenerOf(
    exceptions.flatMap(({ affected_entity: subject, affected_user_id: user }) => [subjectOf(subject).id ?? null, user]),
  );
}

/** All columns with a time fit a line of this width; on a narrower screen an age spares a line. */
const columnsForTimes = 160;

function sinceOf(since: string, now: Date, { columns }: Screen): string {
  return columns < columnsForTimes ? describeAge(now.getTime() - Date.parse(since)) : localTime(since);
}

/** numeric(36,18) with its sign and brackets: what is longer is nobody's money. */
const longestAmount = 42;

/** The cells of the subject, of the difference or what is at stake, and of the currency. */
export function subjectAndAmount(exception: StoredException, shorten: Shorten): [string, string, string] {
  return [
    exception.affected_entity === null ? '-' : shortSubject(exception.affected_entity, shorten),
    cut(amountText(exception), longestAmount),
    currencyText(exception.currency),
  ];
}

/** Where it is in its life. */
export function stationOf(exception: StoredException, now: Date): string {
  const { snoozed_until: snoozed, accepted_until: accepted, assignee } = exception;
  const state = stateAt(exception, now);
  if (state === 'resolved') return state;
  return [
    state !== 'open' && `${state} until ${localTime((state === 'accepted' ? accepted : snoozed) ?? '')}`,
    exception.acknowledged_by !== null && assignee === null && `taken up by ${cut(exception.acknowledged_by)}`,
    assignee !== null && `with ${cut(assignee)}`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

/** `-100.5`, the difference; `(100.5)`, what is at stake where there is none. */
export function amountText({ difference, metadata }: Pick<StoredException, 'difference' | 'metadata'>): string {
  const stake = stakeOf(metadata);
  return difference ?? (stake === undefined ? '-' : `(${stake})`);
}

/** What is told below a list. */
export interface Foot {
  shown: number;
  totals: readonly Total[];
  /** Those that match, but are not listed because they are not open. */
  apart: readonly Total[];
  /** The command that shows the next ones. */
  next: string | undefined;
}

/** How many of how many, their amounts, what is not listed, and the command that shows the next ones. */
export function footOf(environment: string, { shown, totals, apart, ...foot }: Foot, screen: Screen): string {
  const next = foot.next === undefined ? undefined : screen.called(foot.next);
  const states = (['snoozed', 'accepted'] as const).map((state) => ({ state, number: numberOf(apart, state) }));
  const others = states
    .filter(({ number }) => number > 0)
    .map(({ state, number }) => `${inThousands(number)} ${state}`);
  const notListed = others.length === 0 ? '' : `Not listed: ${others.join(', ')} (--status unresolved).\n`;
  const said = `${plain(environment)}: ${partOf(shown, totals, next)}`;
  const whole = `${said}${next === undefined ? '' : ` ${next}`}`;
  // a command is not wrapped: it is there to be copied
  const shownWhole = next === undefined || fits(whole, screen);
  const told = shownWhole ? flowed('', whole, screen.columns) : `${flowed('', said, screen.columns)}  ${next}\n`;
  return `${told}${notListed}`;
}

function partOf(shown: number, totals: readonly Total[], next: string | undefined): string {
  const matching = numberOf(totals);
  const all = totalsText(totals);
  if (shown === matching) return `${all}.`;
  if (shown === 0) return `${all}, none after that one.`;
  return `${inThousands(shown)} of ${all}${next === undefined ? ', the last ones.' : '; the next ones:'}`;
}

function numberOf(totals: readonly Total[], state?: Total['state']): number {
  return totals.reduce((all, total) => (state === undefined || total.state === state ? all + total.count : all), 0);
}

/** `3 exceptions (1 critical, 2 low), 100.5 USDC, 3 USD`; beside what is resolved the sums are of the rest, and say so. */
export function totalsText(totals: readonly Total[]): string {
  if (totals.length === 0) return 'no exceptions';
  const ofSeverity = (severity: Severity) => numberOf(totals.filter((total) => total.severity === severity));
  const parts = severities
    .toReversed()
    .filter((severity) => ofSeverity(severity) > 0)
    .map((severity) => `${inThousands(ofSeverity(severity))} ${severity}`);
  const unresolved = totals.filter(({ state }) => state !== 'resolved');
  const isMixed = unresolved.length > 0 && unresolved.length < totals.length;
  // what came back is the same money once more
  const amounts = amountsOf(isMixed ? unresolved : totals).join(', ');
  const number = `${count(numberOf(totals), 'exception')} (${parts.join(', ')})`;
  return [number, isMixed && amounts !== '' ? `unresolved: ${amounts}` : amounts]
    .filter((part) => part !== '')
    .join(', ');
}

/** More currencies than a screen can hold are not those of our books. */
const currenciesShown = 4;

function amountsOf(totals: readonly Total[]): string[] {
  const byCurrency = new Map<string | null, { amount: Money; unknown: number }>();
  for (const { currency, amount, unknown } of totals) {
    const before = byCurrency.get(currency) ?? { amount: zero, unknown: 0 };
    byCurrency.set(currency, { amount: before.amount.plus(amount), unknown: before.unknown + unknown });
  }
  const amounts = [...byCurrency]
    .filter(([, { amount, unknown }]) => !amount.isZero() || unknown > 0)
    .map(([currency, { amount, unknown }]) => `${toText(amount)} ${currencyOfSum(currency, unknown)}`);
  const more = amounts.length - currenciesShown;
  return more > 0 ? [...amounts.slice(0, currenciesShown), `and ${count(more, 'other sum')}`] : amounts;
}
