// controls, marks that reorder or hide text, line and paragraph separators, halves of surrogate pairs
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Text that came from a database or an API, with its control characters made visible: on one line, fit for a screen. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
