import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Arena } from './arena.ts';
import { play, type Tally } from './play.ts';
import { sideBySide, stories, tell, type Turn } from './story.ts';

export type InArena = (body: (arena: Arena) => Promise<void>) => Promise<void>;

/** So many stories share the books, the clock and the runs: a run costs little more for twenty customers than for one. */
const together = 20;

/** What did not hold. */
export interface Failure {
  seeds: readonly number[];
  turns: readonly Turn[];
  why: string;
}

/** Consecutive seeds from `first` on, in the groups in which their stories are played. */
export function groupsOf(first: number, runs: number): number[][] {
  const groups = Math.ceil(runs / together);
  return Array.from({ length: groups }, (_, group) =>
    Array.from({ length: Math.min(together, runs - group * together) }, (_, at) => first + group * together + at),
  );
}

/**
 * Plays the stories of these seeds side by side. Returns null if they hold. The same seeds play the same again.
 * What happened is counted in `tally`.
 */
export async function simulate(seeds: readonly number[], inArena: InArena, tally: Tally): Promise<Failure | null> {
  const turns = sideBySide(seeds.map((seed) => fc.sample(stories, { seed, numRuns: 1 })[0] ?? []));
  const why = await whyNot(turns, inArena, tally);
  return why === null ? null : { seeds, turns, why };
}

/** The smallest part of what failed that still fails: it is played again and again with less. */
export async function shrink(failure: Failure, inArena: InArena): Promise<Failure> {
  let smallest = failure;
  const tryOut = async (turns: readonly Turn[]) => {
    const why = await whyNot(turns, inArena);
    if (why !== null) smallest = { ...failure, turns, why };
    return why !== null;
  };
  for (let size = Math.ceil(failure.turns.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let start = 0; start < smallest.turns.length;)
      if (!(await tryOut(smallest.turns.toSpliced(start, size)))) start += size;
  for (const turn of smallest.turns)
    if (turn.step.does === 'run' && turn.step.end.how !== 'by itself')
      await tryOut(smallest.turns.map((one) => (one === turn ? undisturbed(turn) : one)));
  return smallest;
}

function undisturbed({ customer, step }: Turn): Turn {
  return { customer, step: step.does === 'run' ? { ...step, end: { how: 'by itself' } } : step };
}

/** A failure in words. */
export function describe({ seeds: [first, ...others], turns, why }: Failure): string {
  const again = `npm run simulate -- --seed ${first}${others.length === 0 ? '' : ` --runs ${others.length + 1}`}`;
  return `${turns.map((turn) => `  ${tell(turn)}\n`).join('')}${why}\n\nPlay it again: ${again}`;
}

async function whyNot(turns: readonly Turn[], inArena: InArena, tally: Tally = new Map()): Promise<string | null> {
  try {
    await inArena((arena) => withoutLooseEnds(() => play(turns, arena, tally)));
    return null;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}\n${cause.message}` : message;
  }
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
