import { stringify } from 'csv-stringify/sync';
import { defuse } from '../formula.ts';
import type { Items } from '../database/list-of.ts';
import { plainCell } from '../plain.ts';

const rowsPerPart = 100;

/**
 * Rows as CSV (RFC 4180) with a header line, a part at a time. Nested values become JSON, null an empty cell; control
 * characters are made visible, and a cell that a spreadsheet would run as a formula is defused. Amounts stay
 * numbers unless it would round them (`defuse`).
 */
export async function* toCsv(columns: readonly string[], rows: Items<object>): AsyncGenerator<string> {
  let records: string[][] = [[...columns]];
  for await (const row of rows) {
    records.push(columns.map((column) => toCell((row as Record<string, unknown>)[column])));
    if (records.length < rowsPerPart) continue;
    yield linesOf(records);
    records = [];
  }
  yield linesOf(records);
}

function linesOf(records: string[][]): string {
  // a line feed alone also ends a record for many a reader, though not for this delimiter: it is quoted too
  return stringify(records, { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return defuse(plainCell(typeof value === 'string' ? value : JSON.stringify(value)));
}
