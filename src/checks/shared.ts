/** What one check has read and the next need not read again: each thing is read once in a snapshot. */
export class Shared {
  readonly #readers = new Map<unknown, Map<string, unknown>>();

  /**
   * What `read` gives, of the first time.
   * @param reader who reads: whatever else it reads is kept apart
   * @param of what it is asked for, where that differs
   */
  once<T>(reader: (...given: never[]) => T, read: () => T, of = ''): T {
    const kept = this.#readers.get(reader) ?? new Map<string, unknown>();
    this.#readers.set(reader, kept);
    if (!kept.has(of)) kept.set(of, read());
    return kept.get(of) as T;
  }
}
