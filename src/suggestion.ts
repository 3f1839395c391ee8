import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `typed` most likely stands for: one that begins with it, or that it begins with, else one that is near; or undefined. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  if (typed === '' || candidates.length === 0) return undefined;
  const begun = candidates.find((candidate) => candidate.startsWith(typed) || typed.startsWith(`${candidate}_`));
  if (begun !== undefined) return begun;
  const nearest = closest(typed, [...candidates]);
  return distance(typed, nearest) <= Math.max(2, nearest.length * 0.3) ? nearest : undefined;
}
