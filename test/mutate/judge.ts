import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Asked, Questions } from './asked.ts';
import type { Memory } from './memory.ts';
import type { Mutant } from './mutant.ts';
import { asServed, isMadeOf, serveBroken } from './served.ts';
import type { Suite } from './suite.ts';
import type { Explanations } from './survivors.ts';
import { project, testsOf } from './targets.ts';

/**
 * What became of a broken program. `refused`: it is none. `slower`: its proof shows less, so that it looks at more; what
 * it finds in all books is the same. `explained` and `unexplained`: nobody noticed.
 */
export type Fate =
  | { is: 'refused' }
  | { is: 'noticed'; by: string }
  | { is: 'slower' }
  | { is: 'explained'; why: string }
  | { is: 'unexplained' };

export class Judge {
  /** Who noticed last is asked first. */
  readonly #asked: Asked[];
  readonly #memory: Memory;
  readonly #understands: Questions['understands'];
  readonly #suite: Pick<Suite, 'notices'>;
  readonly #statements = new Map<string, string>();
  /** The files whose tests pass as long as nothing is broken. */
  readonly #passing = new Set<string>();
  readonly #explanations: Explanations;

  constructor({ asked, memory, understands }: Questions, suite: Pick<Suite, 'notices'>, explanations: Explanations) {
    this.#asked = [...asked];
    this.#memory = memory;
    this.#understands = understands;
    this.#suite = suite;
    this.#explanations = explanations;
  }

  /**
   * The books first, because they answer in milliseconds. What they do not notice the tests are asked, which takes long:
   * where books were asked and there is a reason, it is believed; where none could be, only what the tests do not notice
   * needs one.
   */
  async judge(mutant: Mutant): Promise<Fate> {
    const books = this.#booksAbout(mutant.file);
    const inBooks = await this.#askAboutBooks(mutant, books);
    if (inBooks.is === 'noticed') return inBooks;
    const why = this.#explanations.of(mutant);
    const explained: Fate | undefined = why === undefined ? undefined : { is: 'explained', why };
    if (books.length > 0 && explained !== undefined) return explained;
    if (inBooks.is === 'slower') return inBooks;
    await this.#assertUnbrokenPasses(mutant.file);
    const by = await this.#suite.notices(mutant, testsOf(mutant.file));
    return by === undefined ? (explained ?? { is: 'unexplained' }) : { is: 'noticed', by };
  }

  /**
   * Whether PostgreSQL cannot even prepare what is made of this file: that is no other program, and noticing it is no
   * merit. False where no book is asked about it.
   */
  async isRefused({ file, text }: Mutant): Promise<boolean> {
    const statement = this.#statements.get(file) ?? (await this.#statementOf(file));
    this.#statements.set(file, statement);
    serveBroken(pathOf(file), text);
    const broken = asServed(statement);
    serveBroken('', '');
    return broken !== statement && !(await this.#understands(broken));
  }

  /** The longest that is made of it, in which most is made of its columns; empty: there is none. */
  async #statementOf(file: string): Promise<string> {
    const texts = new Set(this.#booksAbout(file).flatMap(({ said }) => said.map(({ text }) => text)));
    for (const text of [...texts].toSorted((one, other) => other.length - one.length))
      if (isMadeOf(pathOf(file), text) && (await this.#understands(text))) return text;
    return '';
  }

  /** A test that fails anyway notices nothing. */
  async #assertUnbrokenPasses(file: string): Promise<void> {
    if (this.#passing.has(file)) return;
    const text = readFileSync(new URL(file, project), 'utf8');
    const by = await this.#suite.notices({ file, text }, testsOf(file));
    if (by !== undefined) throw new Error(`A test fails though nothing is broken: ${by}`);
    this.#passing.add(file);
  }

  /** The questions whose answers are made of it. */
  #booksAbout(file: string): readonly Asked[] {
    return this.#asked.filter(({ files }) => files.has(pathOf(file)));
  }

  async #askAboutBooks({ file, text }: Mutant, concerned: readonly Asked[]): Promise<Fate> {
    let fate: Fate = { is: 'unexplained' };
    serveBroken(pathOf(file), text);
    this.#memory.forgetBroken();
    for (let at = 0; at < concerned.length && fate.is !== 'noticed'; at += 2) {
      const two = concerned.slice(at, at + 2); // PostgreSQL answers both at once
      const answers = await Promise.all(two.map((asked) => asked.again()));
      if (answers.includes('more')) fate = { is: 'slower' };
      const noticed = two[answers.indexOf('other')];
      if (noticed !== undefined) fate = this.#noticed(noticed);
    }
    serveBroken('', '');
    return fate;
  }

  #noticed(asked: Asked): Fate {
    this.#asked.splice(this.#asked.indexOf(asked), 1);
    this.#asked.unshift(asked);
    return { is: 'noticed', by: asked.title };
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, project));
}
