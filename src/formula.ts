const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const amount = /^-?\d+(\.\d+)?$/;

/** A cell of a table that no spreadsheet runs as a formula; amounts, which may begin with a minus, stay as they are. */
export function defuse(text: string): string {
  return formula.test(text) && !amount.test(text) ? `'${text}` : text;
}

/** What was in a cell before it was defused. */
export function restore(cell: string): string {
  return cell.startsWith("'") && defuse(cell.slice(1)) === cell ? cell.slice(1) : cell;
}
