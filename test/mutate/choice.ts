import type { Mutant } from './mutant.ts';
import { mutantsOf, targetFiles } from './targets.ts';

/** What is broken: all there is, or what lies in one of some places. */
export class Choice {
  readonly #places: readonly Place[];

  /** `sql/checks/header`: the files whose paths begin so. `sql/checks/header.sql:12`, `…:12-20`: these lines of a file. */
  constructor(places: readonly string[]) {
    this.#places = places.map(placeOf);
  }

  /** Those of which anything is broken. */
  files(): string[] {
    return targetFiles().filter((file) => this.#places.length === 0 || this.#placesIn(file).length > 0);
  }

  mutantsOf(file: string): Mutant[] {
    return mutantsOf(file).filter(({ line }) => this.hasAllOf(file) || this.#has(file, line));
  }

  hasAllOf(file: string): boolean {
    return this.#places.length === 0 || this.#placesIn(file).some(({ lines }) => lines === undefined);
  }

  #has(file: string, line: number): boolean {
    return this.#placesIn(file).some(({ lines }) => lines !== undefined && lines.from <= line && line <= lines.to);
  }

  #placesIn(file: string): Place[] {
    return this.#places.filter(({ path, lines }) => (lines === undefined ? file.startsWith(path) : file === path));
  }
}

interface Place {
  path: string;
  lines: { from: number; to: number } | undefined;
}

function placeOf(place: string): Place {
  const [, path, from, to = from] = /^(.*):(\d+)(?:-(\d+))?$/.exec(place) ?? [];
  return path === undefined
    ? { path: place, lines: undefined }
    : { path, lines: { from: Number(from), to: Number(to) } };
}
