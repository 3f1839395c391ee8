import type { Applied, DownPlan, MigrationStatus } from '../migrations/migrations.ts';
import { plain } from '../plain.ts';
import { localTime } from './screen.ts';
import { renderTable } from './table.ts';

/** What `recon migrate up` did. */
export function appliedText({ schema, applied, dropped }: Applied): string {
  if (applied.length === 0) return `The schema ${plain(schema)} is up to date.\n`;
  return `The schema ${plain(schema)} is up to date; applied now:\n${indented(applied)}${droppedText(dropped)}`;
}

function droppedText(dropped: readonly string[]): string {
  if (dropped.length === 0) return '';
  return `Your tables were adopted; what stood in the way was dropped from them:\n${indented(dropped)}`;
}

/** What `recon migrate down` did. */
export function revertedText({ schema, reverted }: { schema: string; reverted: string[] }): string {
  if (reverted.length === 0) return `The schema ${plain(schema)} has no tables of recon.\n`;
  return `The schema ${plain(schema)} is without recon; taken back:\n${indented(reverted)}`;
}

/** What `recon migrate down` would do to the data. */
export function lossText({ database, schema, tables, notRestored }: DownPlan): string {
  const fates = tables.map(({ name, rows, adopted }) => [
    name,
    rows,
    adopted ? 'stays, without what recon added' : 'is dropped',
  ]);
  const columns = [{ header: 'table' }, { header: 'rows', align: 'right' as const }, { header: 'what happens' }];
  const lost =
    notRestored.length === 0 ? '' : `\nNot restored, to be run by hand if you want it back:\n${indented(notRestored)}`;
  return `In the database ${plain(database)}, schema ${plain(schema)}:\n${renderTable(columns, fates)}${lost}\n`;
}

/** One row per migration, in the names of the JSON contract. */
export function statusRows({ migrations }: MigrationStatus): object[] {
  return migrations.map(({ name, appliedAt, appliedBy }) => ({
    name,
    status: appliedAt === null ? 'pending' : 'applied',
    applied_at: appliedAt,
    applied_by: appliedBy,
  }));
}

export function statusTable({ schema, migrations }: MigrationStatus): string {
  const columns = [{ header: 'migration' }, { header: 'applied' }, { header: 'by' }];
  const rows = migrations.map(({ name, appliedAt, appliedBy }) => [
    name,
    appliedAt === null ? 'pending' : localTime(appliedAt),
    plain(appliedBy ?? ''),
  ]);
  return `schema ${plain(schema)}\n${renderTable(columns, rows)}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${plain(line)}\n`).join('');
}
