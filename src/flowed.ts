import wrapAnsi from 'wrap-ansi';
import { textWidth } from './text-width.ts';

/**
 * Text behind its prefix, which goes on below itself where the screen is narrower; with `whole` words, and commands in
 * backticks, a line is rather too long than that somebody copies half of one. Ends in a line feed.
 */
export function flowed(prefix: string, text: string, width: number, { whole = false } = {}): string {
  const before = textWidth(prefix);
  if (width === Infinity) return `${prefix}${text}\n`;
  const words = whole ? text.replace(/`[^`]+`/g, (command) => command.replaceAll(' ', unbroken)) : text;
  const lines = wrapAnsi(words, Math.max(narrowest, width - before), { hard: !whole });
  return `${prefix}${lines.replaceAll(unbroken, ' ').replaceAll('\n', `\n${' '.repeat(before)}`)}\n`;
}

/** Looks like a space, and no line ends there. */
const unbroken = '\u00a0';

/** Text in narrower columns cannot be read. */
export const narrowest = 24;
