import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `typed` most likely stands for: one that it begins, else one that is near; or undefined. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const begun = candidates.find((candidate) => candidate.startsWith(typed));
  if (begun !== undefined) return begun;
  const nearest = closest(typed, [...candidates]);
  return distance(typed, nearest) <= Math.max(2, nearest.length * 0.3) ? nearest : undefined;
}
