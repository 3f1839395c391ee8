import type { HostRow } from '../corrections/host-tables.ts';
import type { StoredCorrection } from '../corrections/store.ts';
import { plain } from '../plain.ts';
import { excerpt, localTime, shortId, shortSubject, type Screen } from './screen.ts';
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
      shortSubject(correction.subject ?? ''),
      correction.amount,
      plain(correction.currency ?? ''),
      excerpt([correction.proposed_by, correction.decided_by].filter((name) => name !== null).join(', '), 40),
      excerpt(correction.reason ?? '', 100),
    ]),
    columns,
  );
}

function stateOf({ state, undone_by: by }: StoredCorrection): string {
  return by === null ? state : 'undone';
}

/** One correction with all that is on record, and the rows of the host. */
export function correctionScreen(correction: StoredCorrection, screen: Screen): string {
  const facts: [string, string | null][] = [
    ['correction', correction.id],
    ['state', stateOf(correction)],
    ['exception', correction.exception_id],
    ['subject', excerpt(correction.subject ?? 'none')],
    ['report', correction.report_id],
    ['amount', `${correction.amount} ${plain(correction.currency ?? '')}`.trim()],
    ['proposed', wordOf(correction.proposed_by, correction.created_at, correction.proposal_note)],
    [
      'decided',
      correction.decided_by && wordOf(correction.decided_by, correction.ended_at ?? '', correction.decision_note),
    ],
    ['why not', correction.reason && excerpt(correction.reason, 2_000)],
    ['undoes', correction.undoes],
    ['undone by', correction.undone_by],
  ];
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  const lines = told.map(([name, value]) => `${screen.faint(name.padEnd(10))}  ${value}\n`).join('');
  return `${screen.strong(excerpt(correction.action, 2_000))}\n\n${lines}${rowsText(correction.state === 'applied' ? correction.rows_written : (correction.rows_proposed ?? []))}`;
}

function wordOf(name: string, at: string, note: string | null): string {
  return `by ${excerpt(name, 80)}, ${localTime(at)}${note === null ? '' : `: ${excerpt(note, 2_000)}`}`;
}

/** What would be written, row by row, and how the row is afterwards. */
export function previewText(action: string, rows: readonly HostRow[]): string {
  return `${excerpt(action, 2_000)}\n${rowsText(rows)}`;
}

function rowsText(rows: readonly HostRow[]): string {
  if (rows.length === 0) return '';
  const cells = rows.flatMap(({ table, id, before, after }) =>
    Object.entries(after).map(([column, value], index) => [
      ...(index === 0 ? [table, id] : ['', '']),
      column,
      before === null ? '(new row)' : valueOf(before[column]),
      valueOf(value),
    ]),
  );
  const headers = ['table', 'row', 'column', 'before', 'after'].map((header) => ({ header }));
  return `\n${renderTable(headers, cells)}`;
}

function valueOf(value: string | null | undefined): string {
  return value === null || value === undefined ? 'null' : excerpt(value, 120);
}
