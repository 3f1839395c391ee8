import stringWidth from 'string-width';

/** How many columns of a terminal a text takes, colour codes none. */
export function textWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text); // which takes a hundred times as long
}
