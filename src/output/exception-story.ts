import { count } from '../count.ts';
import type { Config } from '../config.ts';
import type { StoredCorrection } from '../corrections/store.ts';
import { flowed } from '../flowed.ts';
import {
  isOfCustodian,
  type ExceptionEvent,
  type Sighting,
  type StoredException,
  type Successor,
} from '../exceptions/exception.ts';
import { isOfNumbers, type Cause } from '../exceptions/causes.ts';
import type { Story } from '../exceptions/story.ts';
import { kindOf } from '../kinds.ts';
import { money, toText } from '../money.ts';
import { plain } from '../plain.ts';
import { custodyFacts, custodyFields } from './custody.ts';
import { accountTable, entryTables, postingTable, recordTable, shortenerOfInvolved } from './exception-involved.ts';
import { nextLines } from './exception-next.ts';
import { amountText, stationOf } from './exceptions.ts';
import { factTable } from './facts.ts';
import { currencyText, cut, excerpt, indented, localTime, shortId, within, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** The whole story of one exception, section by section; what there is nothing to say about is left out. */
export function exceptionStory(
  story: Story,
  { environment, checks }: Pick<Config, 'environment' | 'checks'>,
  now: Date,
  screen: Screen,
): string {
  const { exception, involved } = story;
  const inner = within(screen);
  const shorten = shortenerOfInvolved(involved);
  const sections: [title: string, body: string][] = [
    ['', factTable(factsOf(story, environment, now, screen), screen)],
    ['both sides', sidesTable(exception, inner)],
    ['at the custodian', factTable(custodyFacts(exception), inner)],
    ['what is invalid', story.invalid_entries.map((text) => flowed('- ', excerpt(text), inner.columns)).join('')],
    ['what it could be', causeLines(story, inner)],
    [isOfCustodian(exception) ? 'records that are not final' : 'records', recordTable(involved, shorten, inner)],
    ['accounts', accountTable(involved, shorten, inner)],
    ['postings of the record', postingTable(involved, shorten, inner)],
    ['ledger', entryTables(involved, shorten, inner)],
    ['found with it', factTable(detailsOf(exception), inner)],
    ['seen', sightingTable(story.sightings, exception, inner)],
    ['log', eventTable(story.events, inner)],
    ['next', nextLines(story, checks, now, inner)],
  ];
  return [
    flowed('', screen.strong(excerpt(exception.description, textMax)), screen.columns),
    ...sections
      .filter(([, body]) => body !== '')
      .map(([title, body]) => (title === '' ? body : `${screen.strong(title)}\n${indented(body)}`)),
  ].join('\n');
}

/** What is longer is no text for a screen; JSON has all of it. */
const textMax = 2_000;

function factsOf(
  { exception, successor, undoing }: Story,
  environment: string,
  now: Date,
  screen: Screen,
): [string, string][] {
  return [
    ['exception', exception.id],
    ['environment', plain(environment)],
    ['severity', screen.severity(exception.severity)],
    ['check', plain(exception.check_type)],
    ['kind', plain(exception.kind)],
    ['subject', excerpt(exception.affected_entity ?? 'none')],
    ['user', plain(exception.affected_user_id ?? 'none')],
    ['since', localTime(exception.created_at)],
    ['last seen', `${localTime(exception.last_seen_at)}, ${count(exception.occurrences, 'time')} in all`],
    ['returned from', plain(exception.previous_exception_id ?? '')],
    ['correction', excerpt(exception.correction_action ?? '', textMax)],
    ['undone by', undoing === null ? '' : undoingOf(undoing, screen)],
    exception.resolved_at === null
      ? ['stands', stationOf(exception, now) || 'open, with nobody yet']
      : ['resolved', resolutionOf(exception)],
    ...(successor === null ? [] : [successorOf(successor)]),
  ];
}

function undoingOf({ id, proposed_by: by }: StoredCorrection, screen: Screen): string {
  return `${cut(by)}: ${screen.command(`recon corrections show ${shortId(id)}`)}`;
}

function successorOf({ id, kind, is_return: isReturn }: Successor): [string, string] {
  return isReturn ? ['returned as', id] : ['became', `${id}, ${plain(kind)}`];
}

function resolutionOf({ resolved_at: at, resolved_by: by, resolution_notes: notes }: StoredException): string {
  return `${localTime(at ?? '')} by ${excerpt(by ?? 'nobody')}: ${excerpt(notes ?? '', textMax)}`;
}

/** Whatever else the check found out. */
function detailsOf({ metadata }: StoredException): [string, string][] {
  return Object.entries(metadata)
    .filter(([name]) => !(custodyFields as readonly string[]).includes(name))
    .map(([name, value]) => [plain(wordsOf(name)), excerpt(spoken(value), textMax)]);
}

/** What JSON says, as a person reads it. */
function spoken(value: unknown): string {
  if (Array.isArray(value)) return value.map(spoken).join('; ');
  if (typeof value === 'string') {
    if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return localTime(value);
    return /^-?\d+\.\d*0$/.test(value) ? toText(money(value)) : value; // hosts keep amounts at scales of their own
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([name, part]) => `${wordsOf(name)} ${spoken(part)}`);
  return parts.join(', ');
}

function wordsOf(name: string): string {
  return name.replaceAll('_', ' ');
}

function sidesTable(exception: StoredException, { columns }: Screen): string {
  const { expected_value: expected, actual_value: actual, difference, currency } = exception;
  const kind = kindOf(exception.kind);
  const rows = [
    ['expected', expected, kind?.expected],
    ['actual', actual, kind?.actual],
    ['difference', difference, 'actual - expected'],
  ] as const;
  if (rows.every(([, value]) => value === null)) return '';
  return renderTable(
    [{ header: 'side' }, { header: 'amount', align: 'right' }, { header: '' }, { header: 'of', wraps: true }],
    rows.map(([name, value, meaning]) => [
      name,
      value ?? 'none',
      currencyText(value === null ? null : currency),
      meaning ?? '',
    ]),
    columns,
  );
}

function causeLines({ exception, causes, untested }: Story, { columns }: Screen): string {
  const hasNumbers = exception.difference !== null && kindOf(exception.kind)?.unit === 'money';
  return [
    ...causes.map(({ sentence }) => flowed('- ', excerpt(sentence, textMax), columns)),
    ...(hasNumbers ? [verdictOn(causes, untested), untested ?? ''] : [])
      .filter((text) => text !== '')
      .map((text) => flowed('', text, columns)),
  ].join('');
}

function verdictOn(causes: readonly Cause[], untested: string | null): string {
  if (causes.some(isOfNumbers)) return 'The numbers meet to the last digit; that is no proof.';
  if (causes.length > 0) return '';
  return untested === null
    ? 'None of the usual causes meets the difference to the last digit.'
    : 'Whether one of the usual causes meets the difference could not be told.';
}

function sightingTable(sightings: readonly Sighting[], { currency }: StoredException, screen: Screen): string {
  if (sightings.length === 0) return '';
  return renderTable(
    [
      { header: 'when' },
      { header: 'severity' },
      { header: 'difference', align: 'right' },
      { header: '' },
      { header: 'report' },
    ],
    sightings.map((sighting) => [
      localTime(sighting.seen_at),
      screen.severity(sighting.severity),
      cut(amountText({ difference: sighting.difference, metadata: { stake: sighting.stake } })),
      currencyText(currency),
      shortId(sighting.report_id),
    ]),
    screen.columns,
  );
}

function eventTable(events: readonly ExceptionEvent[], { columns }: Screen): string {
  if (events.length === 0) return '';
  return renderTable(
    [{ header: 'when' }, { header: 'event' }, { header: 'by', wraps: true }, { header: 'note', wraps: true }],
    events.map((event) => [
      localTime(event.created_at),
      plain(event.event),
      excerpt(event.host === null ? event.actor : `${event.actor} on ${event.host}`, 80),
      [detailOf(event), excerpt(event.note ?? '', textMax)].filter((part) => part !== '').join(': '),
    ]),
    columns,
  );
}

/** What the log holds beside who and when, as far as a person wants to read it. */
function detailOf({ actor, details }: ExceptionEvent): string {
  const { assignee, until, from, to, why, was } = details;
  const before = typeof was === 'object' && was !== null ? (was as Record<string, unknown>) : {};
  const holder = before['assignee'] ?? before['acknowledged_by'];
  return [
    told('from', holder === actor ? undefined : holder),
    told('to', assignee),
    typeof until === 'string' ? `until ${localTime(until)}` : '',
    told('from', from),
    told('to', to),
    told('because', why),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function told(word: string, value: unknown): string {
  return typeof value === 'string' ? `${word} ${excerpt(value, 80)}` : '';
}
