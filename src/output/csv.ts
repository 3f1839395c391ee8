import { stringify } from 'csv-stringify/sync';

/**
 * Rows as CSV (RFC 4180) with a header line. Nested values become JSON, null an empty cell, and a cell that a
 * spreadsheet would run as a formula is defused; amounts, which may begin with a minus, stay as they are.
 */
export function toCsv(columns: readonly string[], rows: readonly object[]): string {
  const records = rows.map((row) => columns.map((column) => toCell((row as Record<string, unknown>)[column])));
  // a line feed alone also ends a record for many a reader, though not for this delimiter: it is quoted too
  return stringify([[...columns], ...records], { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
}
