import { appendFile, readFile } from 'node:fs/promises';

/** The last value of each key, in memory and, so that hours can be cut into pieces, in a file: a line of JSON for each. */
export class KeptLines<T extends object> {
  readonly #file: string | undefined;
  readonly #keyOf: (value: T) => string;
  readonly #last = new Map<string, T>();

  private constructor(file: string | undefined, keyOf: (value: T) => string) {
    this.#file = file;
    this.#keyOf = keyOf;
  }

  /** What the file holds already; it need not be there. Without a file everything is only remembered. */
  static async in<T extends object>(file: string | undefined, keyOf: (value: T) => string): Promise<KeptLines<T>> {
    const lines = new KeptLines(file, keyOf);
    const text = file === undefined ? '' : await readFile(file, { encoding: 'utf8', flag: 'a+' });
    for (const line of text.split('\n')) if (line !== '') lines.#remember(JSON.parse(line) as T);
    return lines;
  }

  async add(value: T): Promise<void> {
    this.#remember(value);
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify(value)}\n`);
  }

  get(key: string): T | undefined {
    return this.#last.get(key);
  }

  values(): T[] {
    return [...this.#last.values()];
  }

  #remember(value: T): void {
    this.#last.set(this.#keyOf(value), value);
  }
}
