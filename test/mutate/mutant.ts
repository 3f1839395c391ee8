/** One file of the project with one change. */
export interface Mutant {
  /** Its path in the project. */
  file: string;
  /** Of the change, from 1. */
  line: number;
  /** The line as it is, without what stands around it. */
  code: string;
  /** What is put in place of what: `and → or`. */
  change: string;
  /** The whole file. */
  text: string;
}

/** A place in a file, and what a program puts there. */
export interface Edit {
  start: number;
  end: number;
  with: string;
}

export function mutantOf(file: string, original: string, edit: Edit): Mutant {
  const line = original.slice(0, edit.start).split('\n').length;
  return {
    file,
    line,
    code: original.split('\n')[line - 1]!.trim(),
    change: `${onOneLine(original.slice(edit.start, edit.end))} → ${onOneLine(edit.with)}`,
    text: original.slice(0, edit.start) + edit.with + original.slice(edit.end),
  };
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
