const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const amount = /^-?\d+(\.\d+)?$/;

/** A spreadsheet rounds a number with more significant digits, and saves what is left of it. */
const digitsKept = 15;

/**
 * A cell of a table that no spreadsheet runs as a formula or rounds: it begins with an apostrophe then, and is text.
 * Other amounts, which may begin with a minus, stay numbers.
 */
export function defuse(text: string): string {
  const isHarmless = amount.test(text) ? significantDigits(text) <= digitsKept : !formula.test(text);
  return isHarmless ? text : `'${text}`;
}

function significantDigits(number: string): number {
  return number.replace(/\D/g, '').replace(/^0+/, '').length;
}

/** What was in a cell before it was defused. */
export function restore(cell: string): string {
  return cell.startsWith("'") && defuse(cell.slice(1)) === cell ? cell.slice(1) : cell;
}
