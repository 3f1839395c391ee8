/** What comes one by one, perhaps from the database. */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/** All of them at once: for a list that is known to be short. */
export async function listOf<T>(items: Items<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
