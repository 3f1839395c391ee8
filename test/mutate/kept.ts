import { createHash } from 'node:crypto';
import { KeptLines } from '../support/kept-lines.ts';
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

/** The last fate of each mutant. */
export class KeptFates {
  readonly #lines: KeptLines<Kept>;
  readonly #explanations: Explanations;
  readonly #commit = testedCommit();

  private constructor(lines: KeptLines<Kept>, explanations: Explanations) {
    this.#lines = lines;
    this.#explanations = explanations;
  }

  static async in(file: string | undefined, explanations: Explanations): Promise<KeptFates> {
    return new KeptFates(await KeptLines.in<Kept>(file, ({ mutant }) => mutant), explanations);
  }

  async add(mutant: Mutant, fate: Fate): Promise<void> {
    const day = new Date().toISOString().slice(0, 10);
    await this.#lines.add({ mutant: hashOf(mutant), day, commit: this.#commit, fate });
  }

  /** Undefined: it is to be tried, because it was not, nobody noticed it, or its reason is another one by now. */
  of(mutant: Mutant): Fate | undefined {
    const fate = this.#lines.get(hashOf(mutant))?.fate;
    if (fate === undefined || fate.is === 'noticed') return fate;
    const why = fate.is === 'explained' ? fate.why : undefined;
    return fate.is === 'unexplained' || this.#explanations.of(mutant) !== why ? undefined : fate;
  }

  /** When and of which commits these were tried: `2026-11-27 d5a9bc1`. */
  seenAt(mutants: readonly Mutant[]): string[] {
    const seen = mutants.flatMap((mutant) => this.#lines.get(hashOf(mutant)) ?? []);
    return [...new Set(seen.map(({ day, commit }) => `${day} ${commit}`))].toSorted();
  }
}

function hashOf({ file, text }: Mutant): string {
  return createHash('sha256').update(`${file}\n${text}`).digest('base64url');
}
