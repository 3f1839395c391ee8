import type { StoredAlert } from '../alerts/outbox.ts';
import { plain } from '../plain.ts';
import { localTime, shortId, type Screen } from './screen.ts';
import { renderTable, type Column } from './table.ts';

/** Columns of the CSV. */
export const alertColumns = [
  'id',
  'report_id',
  'target',
  'summary',
  'state',
  'attempts',
  'last_error',
  'created_at',
  'attempted_at',
  'delivered_at',
  'body',
] as const satisfies readonly (keyof StoredAlert)[];

const alertCells: Column[] = [
  ...['id', 'since', 'state', 'target', 'tries'].map((header) => ({ header })),
  { header: 'what', wraps: true },
  { header: 'last error', wraps: true },
];

/** One line for each, with why it was not taken. */
export function alertTable(alerts: readonly StoredAlert[], { columns }: Screen): string {
  return renderTable(
    alertCells,
    alerts.map((alert) => [
      shortId(alert.id),
      localTime(alert.created_at),
      alert.state,
      alert.target,
      String(alert.attempts),
      plain(alert.summary),
      alert.state === 'delivered' ? '' : plain(alert.last_error ?? ''),
    ]),
    columns,
  );
}
