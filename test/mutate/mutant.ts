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
  /** Which it is of those of the file with the same line and change, from its beginning on: `1 of 3`. */
  which: string;
  /** The whole file. */
  text: string;
}

/** A place in a file, and what a program puts there. */
export interface Edit {
  start: number;
  end: number;
  with: string;
}

/** What becomes of a file by each of these edits, from its beginning on. */
export function mutantsBy(edits: readonly Edit[], file: string, original: string): Mutant[] {
  const inOrder = edits.toSorted((left, right) => left.start - right.start);
  const mutants = inOrder.map((edit) => ({
    file,
    ...placeOf(edit, original),
    text: original.slice(0, edit.start) + edit.with + original.slice(edit.end),
  }));
  return mutants.map((mutant) => {
    const alike = mutants.filter(({ code, change }) => code === mutant.code && change === mutant.change);
    return { ...mutant, which: `${alike.indexOf(mutant) + 1} of ${alike.length}` };
  });
}

function placeOf(edit: Edit, original: string): Pick<Mutant, 'line' | 'code' | 'change'> {
  const line = original.slice(0, edit.start).split('\n').length;
  return {
    line,
    code: original.split('\n')[line - 1]!.trim(),
    change: `${onOneLine(original.slice(edit.start, edit.end))} → ${onOneLine(edit.with)}`,
  };
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
