// controls, marks that reorder or hide text, line and paragraph separators, halves of surrogate pairs
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Text that came from a database or an API, with its control characters made visible: on one line, fit for a screen. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** `plain`, but for the line breaks and tabs that a cell of a table may hold. */
export function plainCell(text: string): string {
  return text.replace(unsafe, (character) => (/[\t\r\n]/.test(character) ? character : plain(character)));
}

/** JSON in which no control character stands as it is: another spelling of the same value. */
export function plainJson(json: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(unsafe, (character) => character.split('').map(escaped).join(''));
}
