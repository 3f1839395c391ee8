import { Help } from 'commander';

/** Wider lines of prose nobody reads with ease. */
const proseMax = 100;

/**
 * The explanations and examples of a help text, fit for a screen of so many columns: paragraphs flow, and what is said
 * about an example stands below it where it finds no room beside it. Other lines stay as they are.
 */
export function fitHelp(text: string, columns: number): string {
  const lines = text.replace(/^(\S.*[^:\n])\n(?=\S)/gm, '$1 ').split('\n'); // a paragraph is one line
  const isTight = lines.some((line) => line.startsWith(' ') && line.length > columns);
  return lines
    .map((line) => {
      if (!line.startsWith(' ')) return new Help().boxWrap(line, Math.min(columns, proseMax));
      return isTight ? line.replace(/^( {2}\S.*?) {2,}(\S.*)$/, '$1\n      $2') : line;
    })
    .join('\n');
}
