import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Mutant } from './mutant.ts';

interface Explanation {
  code: string;
  change: string;
  why: string;
}

/** Why a broken program is as good as the unbroken one: survivors.yaml, by file. */
export class Explanations {
  readonly #byFile: Readonly<Record<string, readonly Explanation[]>>;
  readonly #used = new Set<Explanation>();

  constructor(text = readFileSync(new URL('./survivors.yaml', import.meta.url), 'utf8')) {
    this.#byFile = parse(text) as Record<string, Explanation[]>;
  }

  of(mutant: Mutant): string | undefined {
    const explanation = this.#find(mutant);
    if (explanation) this.#used.add(explanation);
    return explanation?.why;
  }

  has(mutant: Mutant): boolean {
    return this.#find(mutant) !== undefined;
  }

  /** Those of a file that explain nothing that survived. */
  stale(file: string): string[] {
    const unused = (this.#byFile[file] ?? []).filter((explanation) => !this.#used.has(explanation));
    return unused.map(
      ({ code, change }) => `${file}: explained, but nothing of this kind survives: ${change} in ${code}`,
    );
  }

  #find({ file, code, change }: Mutant): Explanation | undefined {
    return this.#byFile[file]?.find((one) => one.code === code && one.change === change);
  }
}
