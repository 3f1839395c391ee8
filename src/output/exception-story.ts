import type { ActionName } from '../exceptions/actions.ts';
import { involvedMax, type Involved, type InvolvedEntry, type InvolvedRecord } from '../exceptions/involved.ts';
import {
  isOfCustodian,
  type ExceptionEvent,
  type Sighting,
  type StoredException,
  type Successor,
} from '../exceptions/exception.ts';
import type { Story } from '../exceptions/story.ts';
import { outlookOf } from '../corrections/outlook.ts';
import { kindNamed, kinds, type Kind } from '../kinds.ts';
import { money, toText } from '../money.ts';
import { plain } from '../plain.ts';
import { custodyFacts, custodyFields } from './custody.ts';
import { stationOf } from './exceptions.ts';
import { factTable } from './facts.ts';
import { count, currencyText, excerpt, localTime, shortId, shortSubject, within, type Screen } from './screen.ts';
import { flowed, renderTable, type Column } from './table.ts';

/** The whole story of one exception, section by section; what there is nothing to say about is left out. */
export function exceptionStory(story: Story, environment: string, now: Date, screen: Screen): string {
  const { exception, involved } = story;
  const inner = within(screen, margin.length);
  const sections: [title: string, body: string][] = [
    ['', factTable(factsOf(story, environment, now, screen), screen)],
    ['both sides', sidesTable(exception, inner)],
    ['at the custodian', factTable(custodyFacts(exception), inner)],
    ['what is invalid', story.invalid_entries.map((text) => flowed('- ', excerpt(text), inner.columns)).join('')],
    ['what it could be', causeLines(story, inner)],
    [
      isOfCustodian(exception) ? 'records that are not final' : 'records',
      cutShort(involved.records, recordTable(involved.records, involved, inner)),
    ],
    ['accounts', accountTable(involved, inner)],
    ['postings of the record', cutShort(involved.postings, postingTable(involved, inner))],
    ['ledger', cutShort(involved.entries, entryTables(involved.entries, inner))],
    ['found with it', factTable(detailsOf(exception), inner)],
    ['seen', sightingTable(story.sightings, exception, inner)],
    ['log', eventTable(story.events, inner)],
    ['next', nextLines(story, inner)],
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

const margin = '  ';

/** Says where there may be more than these. */
function cutShort(rows: readonly unknown[], table: string): string {
  return rows.length < involvedMax ? table : `${table}No more than ${involvedMax} are read: --sql asks for all.\n`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, margin);
}

function factsOf({ exception, successor }: Story, environment: string, now: Date, screen: Screen): [string, string][] {
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
    exception.resolved_at === null
      ? ['stands', stationOf(exception, now) || 'open, with nobody yet']
      : ['resolved', resolutionOf(exception)],
    ...(successor === null ? [] : [successorOf(successor)]),
  ];
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
  if (typeof value === 'string') return /^\d{4}-\d{2}-\d{2}T/.test(value) ? localTime(value) : value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([name, part]) => `${wordsOf(name)} ${spoken(part)}`);
  return parts.join(', ');
}

function wordsOf(name: string): string {
  return name.replaceAll('_', ' ');
}

function kindOf({ kind }: StoredException): Kind | undefined {
  return kinds.some(({ name }) => name === kind) ? kindNamed(kind) : undefined;
}

function sidesTable(exception: StoredException, { columns }: Screen): string {
  const { expected_value: expected, actual_value: actual, difference, currency } = exception;
  const kind = kindOf(exception);
  const rows = [
    ['expected', expected, kind?.expected],
    ['actual', actual, kind?.actual],
    ['difference', difference, 'actual - expected'],
  ] as const;
  if (rows.every(([, value]) => value === null)) return '';
  return renderTable(
    [{ header: 'side' }, amountColumn, { header: '' }, { header: 'of', wraps: true }],
    rows.map(([name, value, meaning]) => [
      name,
      value ?? 'none',
      currencyText(value === null ? null : currency),
      meaning ?? '',
    ]),
    columns,
  );
}

const amountColumn: Column = { header: 'amount', align: 'right' };

function causeLines({ exception, causes, untested }: Story, { columns }: Screen): string {
  if (exception.difference === null || kindOf(exception)?.unit !== 'money') return '';
  const named = causes.map(({ sentence }) => flowed('- ', excerpt(sentence, textMax), columns));
  const verdict =
    causes.length === 0
      ? 'None of the usual causes meets the difference to the last digit.'
      : 'The numbers meet to the last digit; that is no proof.';
  return [...named, ...[verdict, untested ?? ''].map((text) => (text === '' ? '' : flowed('', text, columns)))].join(
    '',
  );
}

function recordTable(
  records: readonly InvolvedRecord[],
  { unreadable }: Pick<Involved, 'unreadable'>,
  { columns }: Screen,
): string {
  if (unreadable !== null) return flowed('', `They could not be read: ${excerpt(unreadable)}`, columns);
  if (records.length === 0) return '';
  return renderTable(
    [
      { header: 'record' },
      amountColumn,
      { header: '' },
      { header: 'state' },
      { header: 'status', wraps: true },
      { header: 'created' },
    ],
    records.map((record) => [
      shortSubject(`${record.record_kind}:${record.id}`),
      amountOf(record.amount),
      currencyText(record.currency),
      plain(record.state),
      excerpt(record.status ?? '-', 40),
      timeOf(record.created_at),
    ]),
    columns,
  );
}

function accountTable({ accounts }: Involved, { columns }: Screen): string {
  if (accounts.length === 0) return '';
  return renderTable(
    [
      { header: 'account' },
      { header: 'type', wraps: true },
      { header: 'stored balance', align: 'right' },
      { header: '' },
      { header: 'user' },
    ],
    accounts.map((account) => [
      shortId(account.id),
      excerpt(account.account_type ?? '-', 40),
      amountOf(account.balance),
      currencyText(account.currency),
      userOf(account.user_id),
    ]),
    columns,
  );
}

function postingTable({ postings }: Involved, { columns }: Screen): string {
  if (postings.length === 0) return '';
  return renderTable(
    [
      { header: 'transaction' },
      { header: 'leg' },
      amountColumn,
      { header: '' },
      { header: 'account', wraps: true },
      { header: 'user' },
    ],
    postings.map((posting) => [
      shortId(posting.transaction_id),
      plain(posting.leg),
      amountOf(posting.amount),
      currencyText(posting.currency),
      excerpt(posting.account_type ?? '-', 40),
      userOf(posting.user_id),
    ]),
    columns,
  );
}

/** Each transaction with its entries below it. */
function entryTables(entries: readonly InvolvedEntry[], screen: Screen): string {
  const ids = [...new Set(entries.map(({ transaction_id: id }) => id))];
  return ids
    .map((id) => {
      const own = entries.filter(({ transaction_id: other }) => other === id);
      return `${own
        .slice(0, 1)
        .map((entry) => flowed('', transactionLine(entry, screen), screen.columns))
        .join('')}${indented(entryTable(own, within(screen, margin.length)))}`;
    })
    .join('');
}

function transactionLine(entry: InvolvedEntry, screen: Screen): string {
  const { transaction_id: id, transaction_type: type, status, reference_type: names, reference_id: reference } = entry;
  return [
    screen.strong(`transaction ${id === null ? 'none' : shortId(id)}`),
    type === null ? 'without a header' : excerpt(type, 40),
    excerpt(status ?? '', 40),
    timeOf(entry.created_at),
    reference === null ? '' : `for ${excerpt(names ?? '', 40)} ${shortId(reference)}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function entryTable(entries: readonly InvolvedEntry[], { columns }: Screen): string {
  const rows = entries.filter(({ entry_id: id }) => id !== null);
  if (rows.length === 0) return 'no entries\n';
  return renderTable(
    [
      { header: 'entry' },
      { header: 'side' },
      amountColumn,
      { header: '' },
      { header: 'account', wraps: true },
      { header: 'user' },
    ],
    rows.map((entry) => [
      shortId(entry.entry_id ?? ''),
      excerpt(entry.entry_type ?? '-', 40),
      amountOf(entry.amount),
      currencyText(entry.currency),
      excerpt(
        entry.account_type ?? (entry.account_id === null ? '-' : `${shortId(entry.account_id)}, which does not exist`),
        40,
      ),
      userOf(entry.user_id),
    ]),
    columns,
  );
}

/** Hosts keep amounts at scales of their own. */
function amountOf(amount: string | null): string {
  return amount === null ? '-' : toText(money(amount));
}

function userOf(id: string | null): string {
  return id === null ? '-' : shortId(id);
}

function timeOf(time: string | null): string {
  return time === null ? '-' : localTime(time);
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
      sighting.difference ?? 'none',
      sighting.difference === null ? '' : currencyText(currency),
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

function nextLines(story: Story, screen: Screen): string {
  const { exception } = story;
  const id = shortId(exception.id);
  return [
    ...(exception.resolved_at === null ? remedyLines(story, screen) : afterwards(story, screen)),
    screen.strong(`recon exceptions show ${id} --sql | psql "$DATABASE_URL"`),
    ...actionsFor(exception).map((action) => screen.strong(`recon exceptions ${action} ${id} --by NAME --note TEXT`)),
    '',
  ].join('\n');
}

/** Nobody takes up what somebody has. */
function actionsFor({ resolved_at: at, acknowledged_by: by, assignee }: StoredException): ActionName[] {
  if (at !== null) return [];
  return by === null && assignee === null ? ['acknowledge', 'resolve'] : ['resolve'];
}

function remedyLines(story: Story, screen: Screen): string[] {
  const remedy = kindOf(story.exception)?.remedy;
  return remedy === undefined ? [] : [flowed('', remedy, screen.columns).trimEnd(), ...correctionLines(story, screen)];
}

/** Of one that is resolved: what took its place cannot stand beside it. */
function afterwards(story: Story, screen: Screen): string[] {
  const { exception } = story;
  const id = shortId(exception.id);
  const [why, command] = afterEnd(story);
  return [
    flowed('', why, screen.columns).trimEnd(),
    screen.strong(command),
    ...(exception.correction_action === null ? [] : [screen.strong(`recon corrections list --exception ${id}`)]),
  ];
}

function afterEnd({ exception, successor, undone }: Story): [why: string, command: string] {
  const reopen = `recon exceptions reopen ${shortId(exception.id)} --by NAME --note TEXT`;
  if (successor !== null) return ['It goes on as another one.', `recon exceptions show ${shortId(successor.id)}`];
  if (undone === null)
    return [
      'It is over. If it should not be, reopen it; a daily run that finds it again tells it as a new one.',
      reopen,
    ];
  const said = `Its correction was undone, ${localTime(undone.at)}`;
  return undone.is_seen
    ? [
        `${said}. What a run has found since then is told as a new one; if this one should not be over, reopen it.`,
        reopen,
      ]
    : [`${said}: it is likely back. The next run tells, as a new one.`, 'recon run'];
}

/** What recon itself can do: what is proposed already waits for somebody else. */
function correctionLines({ exception, proposal }: Story, screen: Screen): string[] {
  const said = (text: string) => flowed('', text, screen.columns).trimEnd();
  if (proposal !== null) {
    const { id, proposed_by: by } = proposal;
    const sentence = `${excerpt(by, 80)} proposed a correction: somebody else has to approve it, or rejects it.`;
    return [said(sentence), screen.strong(`recon corrections approve ${shortId(id)} --by SOMEBODY-ELSE`)];
  }
  const { by, sentence } = outlookOf(exception);
  const command = screen.strong(`recon corrections propose ${shortId(exception.id)} --dry-run`);
  return by === 'nobody' ? [said(sentence)] : [said(sentence), command];
}
