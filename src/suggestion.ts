import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `typed` most likely stands for: one that begins with it, or that it begins with, else one that is near; or undefined. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  if (typed === '' || candidates.length === 0) return undefined;
  const begun = candidates.find((candidate) => candidate.startsWith(typed) || typed.startsWith(`${candidate}_`));
  if (begun !== undefined) return begun;
  const nearest = closest(typed, [...candidates]);
  return distance(typed, nearest) <= Math.max(2, nearest.length * 0.3) ? nearest : undefined;
}

/** So many are read at a glance: they are named beside the one that was probably meant, for it may be another. */
const fewMax = 7;

/** What is said about a word that is none of these: which one was probably meant, and which there are. */
export function whichOf(typed: string, candidates: readonly string[]): string {
  const nearest = suggest(typed, candidates);
  const all = `There are ${candidates.join(', ')}.`;
  if (nearest === undefined) return all;
  return `Did you mean ${nearest}?${candidates.length > fewMax ? '' : ` ${all}`}`;
}
