import { expect, test } from 'vitest';
import { byOurClock, clockApartMs } from '../../src/custodians/clock.ts';

const [askedAt, answeredAt] = [new Date('2026-03-01T12:00:00.500Z'), new Date('2026-03-01T12:00:02.500Z')];

test.each([
  ['Sun, 01 Mar 2026 12:00:00 GMT', 0], // up to 12:00:00.999
  ['Sun, 01 Mar 2026 12:00:02 GMT', 0],
  ['Sun, 01 Mar 2026 12:00:03 GMT', 500],
  ['Sun, 01 Mar 2026 11:59:59 GMT', -501],
  ['2026-03-01T06:50:01.501-05:00', -598_000],
  ['Mon, 01 Mar 2027 12:00:02 GMT', 365 * 86_400_000 - 500],
  ['soon', undefined],
  [null, undefined],
])('a clock that says %s is %s ms apart', (theirs, apartMs) => {
  expect(clockApartMs(theirs, askedAt, answeredAt)).toBe(apartMs);
});

test('a movement is as old by our clock as it was by theirs', () => {
  const movement = {
    of: 'transaction',
    id: '1',
    externalId: 'wallet',
    amount: undefined,
    state: 'COMPLETE',
    booked: true,
    underWay: false,
    createdAt: '2026-03-01T07:00:00.123456-05:00',
    endedAt: undefined,
  } as const;
  expect(byOurClock(movement, 0)).toBe(movement);
  expect(byOurClock(movement, -60_000)).toEqual({ ...movement, createdAt: '2026-03-01T12:01:00.123Z' });
});
