/** What several rounds measured. */
export interface Figure {
  median: number;
  min: number;
  max: number;
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
  };
}

/** The same for each member, where every round measured the same members. */
export function figuresOf(rounds: readonly Record<string, number>[]): Record<string, Figure> {
  return Object.fromEntries(
    Object.keys(rounds[0] ?? {}).map((name) => [name, figureOf(rounds.map((round) => round[name]!))]),
  );
}

/** How long `body` takes, in milliseconds. */
export async function timeOf(body: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await body();
  return performance.now() - startedAt;
}
