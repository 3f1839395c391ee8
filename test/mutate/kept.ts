import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { testedCommit } from '../support/tested-code.ts';
import type { Fate } from './judge.ts';
import type { Mutant } from './mutant.ts';
import type { Explanations } from './survivors.ts';

/** What became of a mutant, on what day and of which commit; `mutant` is the hash of its whole text. */
interface Kept {
  mutant: string;
  day: string;
  commit: string;
  fate: Fate;
}

/** The fates of all mutants, in memory and, so that hours can be cut into pieces, in a file: a line of JSON for each. */
export class KeptFates {
  readonly #file: string | undefined;
  readonly #explanations: Explanations;
  readonly #commit = testedCommit();
  readonly #last = new Map<string, Kept>();

  private constructor(file: string | undefined, explanations: Explanations) {
    this.#file = file;
    this.#explanations = explanations;
  }

  static async in(file: string | undefined, explanations: Explanations): Promise<KeptFates> {
    const fates = new KeptFates(file, explanations);
    const text = file === undefined ? '' : await readFile(file, { encoding: 'utf8', flag: 'a+' });
    for (const line of text.split('\n')) if (line !== '') fates.#remember(JSON.parse(line) as Kept);
    return fates;
  }

  async add(mutant: Mutant, fate: Fate): Promise<void> {
    const kept = { mutant: hashOf(mutant), day: new Date().toISOString().slice(0, 10), commit: this.#commit, fate };
    this.#remember(kept);
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify(kept)}\n`);
  }

  /** Undefined: it is to be tried, because it was not, nobody noticed it, or its reason is another one by now. */
  of(mutant: Mutant): Fate | undefined {
    const fate = this.#last.get(hashOf(mutant))?.fate;
    if (fate === undefined || fate.is === 'noticed') return fate;
    const why = fate.is === 'explained' ? fate.why : undefined;
    return fate.is === 'unexplained' || this.#explanations.of(mutant) !== why ? undefined : fate;
  }

  /** When and of which commits these were tried: `2026-11-27 d5a9bc1`. */
  seenAt(mutants: readonly Mutant[]): string[] {
    const seen = mutants.flatMap((mutant) => this.#last.get(hashOf(mutant)) ?? []);
    return [...new Set(seen.map(({ day, commit }) => `${day} ${commit}`))].toSorted();
  }

  #remember(kept: Kept): void {
    this.#last.set(kept.mutant, kept);
  }
}

function hashOf({ file, text }: Mutant): string {
  return createHash('sha256').update(`${file}\n${text}`).digest('base64url');
}
