/** What comes one by one, perhaps from the database. */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/** All of them at once: for a list that is known to be short. */
export async function listOf<T>(items: Items<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** So many of them at a time: of a list that may be long, nothing else is in memory. */
export async function* partsOf<T>(items: Items<T>, size: number): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
