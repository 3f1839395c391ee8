import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `typed` most likely stands for, or undefined if none is near. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const nearest = closest(typed, [...candidates]);
  return distance(typed, nearest) <= Math.max(2, nearest.length * 0.3) ? nearest : undefined;
}
