import type { Look, Movement } from './custodian.ts';

/**
 * What changed a holding between two looks, or may have. Compared by id, because something that is old may be booked
 * in between, and because Alpaca's activities carry a day only.
 */
export function movedBetween(before: Look, after: Look): Movement[] {
  const known = [...after.movements].filter(([key, { booked }]) => before.movements.get(key)?.booked !== booked);
  const changed = known.filter(([key, { booked }]) => before.movements.has(key) || booked !== false);
  const moved = [...changed.map(([, movement]) => movement), ...endedBetween(before, after)];
  // a transfer that is booked shows itself as an activity, and its own listing is not asked in every look
  return moved.filter(({ of }) => of !== 'transfer');
}

/** What was under way and is listed no more: it came to an end, and no look says to which. */
export function endedBetween(before: Look, after: Look): Movement[] {
  const ended = [...before.movements].filter(([key, { underWay }]) => underWay && !after.movements.has(key));
  return ended.map(([, movement]) => movement);
}

/**
 * The movements of the later look, each under way if it was in either: what came to its end after the books were read
 * was still on its way when they were.
 */
export function underWayBetween(before: Look, after: Look): Movement[] {
  return [...after.movements].map(([key, movement]) => ({
    ...movement,
    underWay: movement.underWay || before.movements.get(key)?.underWay === true,
  }));
}

/** Whether a time is known and less than `milliseconds` before a moment, or after it by a clock that is fast. */
export function within(time: string | undefined, moment: string, milliseconds: number): boolean {
  return Math.abs(Date.parse(time ?? '') - Date.parse(moment)) < milliseconds;
}
