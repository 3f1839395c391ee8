/**
 * Runs `work` for every item, at most `workers` at a time, started in order. Rejects with the first error; no further
 * item is begun then.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items].values();
  let failed = false;
  const worker = async () => {
    for (const item of queue) {
      if (failed) return;
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
