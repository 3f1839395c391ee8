import type { Movement } from './custodian.ts';

/** How far a custodian's clock may be from ours: as far as `recon doctor` lets the database's be. */
export const clockApartMaxMs = 5 * 60_000;

/**
 * How far the clock that said `theirs` is from ours at least, in milliseconds, negative where it is behind: it was read
 * between the two times of ours, and may say whole seconds only (the `Date` of an answer, RFC 9110, 6.6.1). Undefined
 * where it said no time.
 */
export function clockApartMs(theirs: string | null, askedAt: Date, answeredAt: Date): number | undefined {
  const at = Date.parse(theirs ?? '');
  if (Number.isNaN(at)) return undefined;
  const behind = at + 999 - askedAt.getTime();
  return behind < 0 ? behind : Math.max(0, at - answeredAt.getTime());
}

/** The number in the middle, of an even count the upper one of the two; undefined if there is none. */
export function middleOf(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)];
}

/** A movement with its times as a clock would tell them that is so far behind the custodian's. */
export function byOurClock(movement: Movement, apartMs: number): Movement {
  if (apartMs === 0) return movement;
  const shifted = (time: string | undefined) => time && new Date(Date.parse(time) - apartMs).toISOString();
  return { ...movement, createdAt: shifted(movement.createdAt), endedAt: shifted(movement.endedAt) };
}
