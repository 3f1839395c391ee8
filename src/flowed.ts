import wrapAnsi from 'wrap-ansi';
import { textWidth } from './text-width.ts';

/**
 * Text behind its prefix, which goes on below itself where the screen is narrower; with `whole` words a line is rather too
 * long than that somebody copies half of one. Ends in a line feed.
 */
export function flowed(prefix: string, text: string, width: number, { whole = false } = {}): string {
  const before = textWidth(prefix);
  if (width === Infinity) return `${prefix}${text}\n`;
  const lines = wrapAnsi(text, Math.max(narrowest, width - before), { hard: !whole });
  return `${prefix}${lines.replaceAll('\n', `\n${' '.repeat(before)}`)}\n`;
}

/** Text in narrower columns cannot be read. */
export const narrowest = 24;
