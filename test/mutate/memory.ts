import { createHash } from 'node:crypto';
import type { Cut } from '../../src/checks/check.ts';
import type { Parameter, Row } from '../../src/database/database.ts';

type Answers = Map<string, Promise<Row[]>>;

/**
 * What statements have answered: their books never change, so that whoever asks the same again need not wait for
 * PostgreSQL. Of the dozens of statements that answer a question most are the same whatever is broken.
 */
export class Memory {
  readonly #unbroken: Answers = new Map();
  #broken: Answers | undefined;

  /** From now on something is broken, another thing than before: what the last one answered is forgotten. */
  forgetBroken(): void {
    this.#broken = new Map();
  }

  /** A cut of these books whose statements are remembered; `asked` hears of each with what parameters. */
  of(cut: Cut, books: string, asked: (parameters: readonly Parameter[]) => void = () => undefined): Cut {
    const unsafe = (text: string, parameters: Parameter[] = []) => {
      asked(parameters);
      const answer = this.#answer([books, text, parameters], async () => cut.transaction.unsafe(text, parameters));
      return Object.assign(answer, { cursor: () => inOne(answer) });
    };
    const transaction = new Proxy(cut.transaction, {
      get: (target, key): unknown => (key === 'unsafe' ? unsafe : Reflect.get(target, key)),
    });
    return { ...cut, transaction };
  }

  #answer(question: unknown, ask: () => Promise<Row[]>): Promise<Row[]> {
    const key = createHash('sha1').update(JSON.stringify(question)).digest('base64');
    const known = this.#unbroken.get(key) ?? this.#broken?.get(key) ?? ask();
    (this.#broken ?? this.#unbroken).set(key, known);
    return known;
  }
}

/** As a cursor gives rows: whoever has read them may throw them away. */
async function* inOne(answer: Promise<Row[]>): AsyncGenerator<Row[]> {
  yield [...(await answer)];
}
