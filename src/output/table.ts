import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

export interface Column {
  header: string;
  align?: 'left' | 'right';
}

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Rows in aligned columns without a frame, each line ending in a line feed. Cells are shown as they are given. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(({ header }) => header),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }, // no colour codes of its own in a pipe
  });
  table.push(...rows.map((row) => [...row]));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** The characters of its longest line, colours not counted. */
export function widthOf(table: string): number {
  return Math.max(
    ...stripVTControlCharacters(table)
      .split('\n')
      .map((line) => line.length),
  );
}
