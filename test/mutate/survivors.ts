import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Mutant } from './mutant.ts';

interface Explanation {
  code: string;
  change: string;
  /** Which of several alike: `1 of 3`. Without it there must be one only. */
  which?: string[];
  why: string;
}

/** Why a broken program is as good as the unbroken one: survivors.yaml, by file. */
export class Explanations {
  readonly #byFile: Readonly<Record<string, readonly Explanation[]>>;

  constructor(text = readFileSync(new URL('./survivors.yaml', import.meta.url), 'utf8')) {
    this.#byFile = parse(text) as Record<string, Explanation[]>;
  }

  of(mutant: Mutant): string | undefined {
    return this.#byFile[mutant.file]?.find((one) => placesOf(one).includes(placeOf(mutant)))?.why;
  }

  /** What is explained of a file though it is not among these, the only ones that a reason was needed for; or twice. */
  stale(file: string, explained: readonly Mutant[]): string[] {
    const needed = explained.map(placeOf);
    const given = (this.#byFile[file] ?? []).flatMap(placesOf);
    return given
      .filter((place, index) => !needed.includes(place) || given.indexOf(place) !== index)
      .map((place) => `${file}: explained, but nothing of this kind survives, or twice: ${place}`);
  }
}

/** The line may move, but the reason is of this one among those that are alike, and of no other. */
function placeOf({ code, change, which }: Pick<Mutant, 'code' | 'change' | 'which'>): string {
  return `${which}: ${change} in ${code}`;
}

function placesOf({ code, change, which = ['1 of 1'] }: Explanation): string[] {
  return which.map((one) => placeOf({ code, change, which: one }));
}
