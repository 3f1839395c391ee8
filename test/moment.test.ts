import { expect, test } from 'vitest';
import { parseMoment } from '../src/moment.ts';

const now = new Date('2026-03-01T12:00:00.250Z');

test.each([
  ['2026-11-01', '2026-11-01T00:00:00.000000Z'],
  ['2026-11-01T08:30:00Z', '2026-11-01T08:30:00.000000Z'],
  ['2026-11-01T08:30Z', '2026-11-01T08:30:00.000000Z'],
  ['2026-11-01T08:30:00.123456Z', '2026-11-01T08:30:00.123456Z'],
  ['2026-11-01T08:30:00.5+02:00', '2026-11-01T06:30:00.500000Z'],
  ['2026-12-31T23:30:00-01:00', '2027-01-01T00:30:00.000000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000000Z'],
  ['0s', '2026-03-01T12:00:00.250000Z'],
  ['90s', '2026-03-01T11:58:30.250000Z'],
  ['7d', '2026-02-22T12:00:00.250000Z'],
])('%s is %s', (text, moment) => {
  expect(parseMoment(text, now)).toBe(moment);
});

test.each([
  '',
  'yesterday',
  '2026-02-30',
  '2026-13-01',
  '2026-11-01 08:30:00Z',
  '2026-11-01T08:30:00', // of which zone?
  '2026-11-01T25:00:00Z',
  '2026-11-01T08:30:00.1234567Z',
  '2026-11-01T08:30:00+99:00',
  '0000-01-01',
  '9999-12-31T23:59:59-01:00',
  '-7d',
  '7 d',
  '1e3d',
  "2026-11-01'; drop table deposits; --",
])('"%s" is no time', (text) => {
  expect(parseMoment(text, now)).toBeUndefined();
});

test('text sorts as time does, whatever the number of decimals', () => {
  const inOrder = ['2026-11-01T00:00:00Z', '2026-11-01T00:00:00.000001Z', '2026-11-01T00:00:00.5Z'];
  const moments = inOrder.map((text) => parseMoment(text, now)!);
  expect(moments.toSorted()).toEqual(moments);
});
