import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Cut } from '../../src/checks/check.ts';
import type { Parameter, Row, Transaction } from '../../src/database/database.ts';

/** A statement that was asked of some books, and its answer. */
export interface Said {
  books: string;
  text: string;
  parameters: Parameter[];
  rows: Promise<Row[]>;
}

type Answers = Map<string, Promise<Row[]>>;

/**
 * What statements have answered: their books never change, so that whoever asks the same again need not wait for
 * PostgreSQL. Of the dozens of statements that answer a question most are the same whatever is broken.
 */
export class Memory {
  readonly #unbroken: Answers = new Map();
  #broken: Answers | undefined;
  /** Each text once: the same few are put together again and again. */
  readonly #texts = new Map<string, string>();

  /** From now on something is broken, another thing than before: what the last one answered is forgotten. */
  forgetBroken(): void {
    this.#broken = new Map();
  }

  /** A cut of these books whose statements are remembered; `heard` hears each. */
  of(cut: Cut, books: string, heard: (said: Said) => void): Cut {
    const unsafe = (composed: string, parameters: Parameter[] = []) => {
      const text = this.#texts.get(composed) ?? composed;
      this.#texts.set(text, text);
      const rows = this.#ask(cut.transaction, { books, text, parameters });
      heard({ books, text, parameters, rows });
      return Object.assign(rows, { cursor: () => inOne(rows) });
    };
    const transaction = new Proxy(cut.transaction, {
      get: (target, key): unknown => (key === 'unsafe' ? unsafe : Reflect.get(target, key)),
    });
    return { ...cut, transaction };
  }

  /** Whether a statement that is put in another way has the same answer. */
  async saysTheSame(transaction: Transaction, said: Said, text: string): Promise<boolean> {
    return isDeepStrictEqual(await this.#ask(transaction, { ...said, text }), await said.rows);
  }

  #ask(transaction: Transaction, { books, text, parameters }: Omit<Said, 'rows'>): Promise<Row[]> {
    const key = createHash('sha1')
      .update(JSON.stringify([books, text, parameters]))
      .digest('base64');
    const known = this.#unbroken.get(key) ?? this.#broken?.get(key) ?? rowsOf(transaction, text, parameters);
    (this.#broken ?? this.#unbroken).set(key, known);
    return known;
  }
}

async function rowsOf(transaction: Transaction, text: string, parameters: Parameter[]): Promise<Row[]> {
  return [...(await transaction.unsafe(text, parameters))];
}

/** As a cursor gives rows: whoever has read them may throw them away. */
async function* inOne(answer: Promise<Row[]>): AsyncGenerator<Row[]> {
  yield [...(await answer)];
}
