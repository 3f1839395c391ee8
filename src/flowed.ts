import wrapAnsi from 'wrap-ansi';
import { textWidth } from './text-width.ts';

/**
 * Text behind its prefix, which goes on below itself where the screen is narrower. A word that has no room there, such as
 * an id, stands whole in the lines below the prefix if it has room in those. With `whole` words, and commands in
 * backticks, a line is rather too long than that somebody copies half of one. Ends in a line feed.
 */
export function flowed(prefix: string, text: string, width: number, { whole = false } = {}): string {
  const before = textWidth(prefix);
  if (width === Infinity) return `${prefix}${text}\n`;
  const words = whole ? text.replace(/`[^`]+`/g, (command) => command.replaceAll(' ', unbroken)) : text;
  const widest = whole ? 0 : Math.max(...words.split(/\s+/).map(textWidth));
  if (widest > Math.max(narrowest, width - before) && widest <= width - below.length)
    return `${prefix.trimEnd()}\n${below}${wrapAnsi(words, width - below.length).replaceAll('\n', `\n${below}`)}\n`;
  const lines = wrapAnsi(words, Math.max(narrowest, width - before), { hard: !whole });
  return `${prefix}${lines.replaceAll(unbroken, ' ').replaceAll('\n', `\n${' '.repeat(before)}`)}\n`;
}

/** Before what stands below its prefix. */
const below = '  ';

/** Looks like a space, and no line ends there. */
const unbroken = '\u00a0';

/** Text in narrower columns cannot be read. */
export const narrowest = 24;
