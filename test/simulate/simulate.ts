import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Arena } from './arena.ts';
import { play } from './play.ts';
import { stories, tell, type Step } from './story.ts';

type InArena = (body: (arena: Arena) => Promise<void>) => Promise<void>;

/** Plays the story of a seed. Returns null if it holds, else the story and why it does not. */
export function simulate(seed: number, inArena: InArena): Promise<string | null> {
  return check(seed, inArena, { endOnFailure: true });
}

/** The same, and of a story that fails the smallest one that still does: that takes many times as long. */
export function shrink(seed: number, inArena: InArena): Promise<string | null> {
  return check(seed, inArena, { endOnFailure: false });
}

async function check(seed: number, inArena: InArena, how: { endOnFailure: boolean }): Promise<string | null> {
  const holds = fc.asyncProperty(stories, (story) => inArena((arena) => withoutLooseEnds(() => play(story, arena))));
  const { failed, counterexample, errorInstance } = await fc.check(holds, { seed, numRuns: 1, ...how });
  if (!failed) return null;
  const [story = []] = counterexample ?? [];
  const { message, cause } = errorInstance as Error;
  const why = cause instanceof Error ? `${message}\n${cause.message}` : message;
  return `seed ${seed}\n${story.map((step: Step) => `  ${tell(step)}\n`).join('')}${why}`;
}

/** A rejection that nobody handles ends a real process with a crash: here it fails the story. */
async function withoutLooseEnds(body: () => Promise<void>): Promise<void> {
  const loose: unknown[] = [];
  const listener = (reason: unknown) => loose.push(reason);
  process.on('unhandledRejection', listener);
  try {
    await body();
    await sleep(20); // it is told a turn later
  } finally {
    process.off('unhandledRejection', listener);
  }
  if (loose.length > 0) throw new Error('A rejection that nobody handles.', { cause: loose[0] });
}
