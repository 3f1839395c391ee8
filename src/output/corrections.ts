import { flowed } from '../flowed.ts';
import type { HostRow } from '../corrections/host-tables.ts';
import type { StoredCorrection } from '../corrections/store.ts';
import type { Switch, SwitchChange } from '../corrections/switch.ts';
import { subjectOf } from '../exceptions/exception.ts';
import { money } from '../money.ts';
import { placeholders, signed } from '../placeholders.ts';
import { plain } from '../plain.ts';
import { factTable } from './facts.ts';
import { excerpt, indented, localTime, shortenerOf, shortId, shortSubject, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** Columns of the CSV. */
export const correctionColumns = [
  'id',
  'exception_id',
  'report_id',
  'check_type',
  'subject',
  'correction',
  'state',
  'action',
  'amount',
  'currency',
  'reason',
  'proposed_by',
  'proposal_note',
  'decided_by',
  'decision_note',
  'undoes',
  'undone_by',
  'created_at',
  'ended_at',
  'rows_proposed',
  'rows_written',
] as const satisfies readonly (keyof StoredCorrection)[];

/** One line for each where the screen is wide enough. */
export function correctionTable(corrections: readonly StoredCorrection[], { columns }: Screen): string {
  const shorten = shortenerOf(corrections.map(({ subject }) => subjectOf(subject).id ?? null));
  return renderTable(
    [
      { header: 'id' },
      { header: 'when' },
      { header: 'state' },
      { header: 'correction' },
      { header: 'subject' },
      { header: 'amount', align: 'right' },
      { header: '' },
      { header: 'by', wraps: true },
      { header: 'why not', wraps: true },
    ],
    corrections.map((correction) => [
      shortId(correction.id),
      localTime(correction.created_at),
      stateOf(correction),
      correction.undoes === null ? correction.correction : `undo ${correction.correction}`,
      shortSubject(correction.subject ?? '', shorten),
      amountOf(correction),
      plain(correction.currency ?? ''),
      excerpt([correction.proposed_by, correction.decided_by].filter((name) => name !== null).join(', '), 40),
      excerpt(correction.reason ?? '', 100),
    ]),
    columns,
  );
}

/** Above the list, where corrections are stopped: by whom, since when and why. */
export function stopText({ stopped, changed_by: by, changed_at: at, note }: Switch, { columns }: Screen): string {
  if (!stopped) return '';
  const since = at === null ? '' : ` since ${localTime(at)}`;
  return flowed(
    '',
    `Corrections are stopped${by === null ? '' : ` by ${excerpt(by, 80)}`}${since}${note === null ? '' : `: ${excerpt(note)}`}`,
    columns,
  );
}

/** One line for each change of the switch. */
export function switchTable(changes: readonly SwitchChange[], { columns }: Screen): string {
  return renderTable(
    [
      { header: 'when' },
      { header: 'corrections were' },
      { header: 'by', wraps: true },
      { header: 'login', wraps: true },
      { header: 'note', wraps: true },
    ],
    changes.map(({ changed_at: at, stopped, changed_by: by, host, login, note }) => [
      at === null ? '' : localTime(at),
      stopped ? 'stopped' : 'allowed again',
      excerpt([by ?? 'nobody knows', ...(host === null ? [] : [host])].join(' on '), 120),
      excerpt(login ?? '', 40),
      excerpt(note ?? ''),
    ]),
    columns,
  );
}

/** What moves no money, such as a link, has no amount. */
function amountOf({ amount, currency }: StoredCorrection): string {
  return currency === null && money(amount).isZero() ? '' : amount;
}

function stateOf({ state, undone_by: by }: StoredCorrection): string {
  return by === null ? state : 'undone';
}

/** One correction with all that is on record, and the rows of the host. */
export function correctionScreen(correction: StoredCorrection, screen: Screen): string {
  const { state, rows_written: written, rows_proposed: proposed } = correction;
  return [
    flowed('', screen.strong(excerpt(correction.action, textMax)), screen.columns),
    factTable(factsOf(correction), screen),
    ...(state === 'applied'
      ? [rowsText(written, screen)]
      : [rowsText(proposed ?? [], screen), ...provisos(proposed, screen)]),
    nextText(commandsAfter(correction), screen),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** What to type now. */
export function nextText(commands: readonly string[], screen: Screen): string {
  return `${screen.strong('next')}\n${indented(commands.map((command) => `${screen.command(command)}\n`).join(''))}`;
}

/** How it goes on: what waits is decided, what stands can be taken back, of all others the exception tells. */
function commandsAfter({ id, exception_id: exception, state, undoes, undone_by: by }: StoredCorrection): string[] {
  if (state === 'proposed') return decisionsOn(id);
  const stands = state === 'applied' && undoes === null && by === null;
  return stands ? [`recon corrections undo ${shortId(id)} ${signed}`] : [`recon exceptions show ${shortId(exception)}`];
}

/** The commands by which a proposal ends. */
export function decisionsOn(id: string): [approve: string, reject: string] {
  return [
    `recon corrections approve ${shortId(id)} --by ${placeholders.anotherName}`,
    `recon corrections reject ${shortId(id)} ${signed}`,
  ];
}

/** What is longer is no text for a screen; JSON has all of it. */
const textMax = 2_000;

function factsOf(correction: StoredCorrection): [string, string][] {
  const { state, decided_by: decidedBy, ended_at: endedAt, undoes, undone_by: undoneBy } = correction;
  const said = wordOf(correction.proposed_by, correction.created_at, correction.proposal_note);
  return [
    ['correction', correction.id],
    ['state', stateOf(correction)],
    ['exception', correction.exception_id],
    ['subject', excerpt(correction.subject ?? 'none')],
    ['report', correction.report_id ?? ''],
    ['amount', `${amountOf(correction)} ${plain(correction.currency ?? '')}`.trim()],
    [undoes === null ? 'proposed' : state === 'applied' ? 'undone' : 'tried', said], // an undoing is one person’s
    ['decided', decidedBy === null ? '' : wordOf(decidedBy, endedAt ?? '', correction.decision_note)],
    ['why not', excerpt(correction.reason ?? '', textMax)],
    ['undoes', undoes ?? ''],
    ['undone by', undoneBy ?? ''],
  ];
}

function wordOf(name: string, at: string, note: string | null): string {
  return `by ${excerpt(name, 80)}, ${localTime(at)}${note === null ? '' : `: ${excerpt(note, textMax)}`}`;
}

/** What would be written, row by row, and how the row is afterwards. */
export function previewText(action: string, rows: readonly HostRow[], screen: Screen): string {
  return [flowed('', excerpt(action, textMax), screen.columns), rowsText(rows, screen), ...provisos(rows, screen)].join(
    '\n',
  );
}

/** What may be another value than the one that is shown, by the time that it is written. */
function provisos(rows: readonly HostRow[] | null, { columns }: Screen): string[] {
  const moves = rows?.some(({ table }) => table === 'ledger_accounts') ?? false;
  return moves
    ? [flowed('', 'A balance moves by as much as is shown, from where it stands when this is written.', columns)]
    : [];
}

/** The columns in the order of their names: whoever compares two screens finds each in the same place. */
function rowsText(rows: readonly HostRow[], screen: Screen): string {
  return rows
    .map(({ table, id, before, after }) => {
      const columns = Object.entries(after).sort(([left], [right]) => (left < right ? -1 : 1));
      const values = columns.map(([column, value]): [string, string] => [
        `  ${plain(column)}`,
        before === null ? valueOf(value) : `${valueOf(before[column])} -> ${valueOf(value)}`,
      ]);
      const title = `${screen.strong(plain(table))} ${plain(id)}${before === null ? ' (new)' : ''}`;
      return flowed('', title, screen.columns) + factTable(values, screen);
    })
    .join('');
}

function valueOf(value: string | null | undefined): string {
  return value === null || value === undefined ? 'null' : excerpt(value, 120);
}
