import { describe, expect, test } from 'vitest';
import { punctualityOf, type Schedule, type ScheduledType } from '../../src/schedule/schedule.ts';

const schedule: Schedule = { hourlyIntervalMs: 3_600_000, dailyRunTime: '02:00' };

const at = (time: string) => new Date(`2026-03-${time.replace(' ', 'T')}Z`);

/** `01 10:00` for a day and a time of March 2026. */
const told = (moment: Date) => moment.toISOString().slice(8, 16).replace('T', ' ');

function punctuality(type: ScheduledType, from: string, starts: string[], now: string, own: Partial<Schedule> = {}) {
  const answer = punctualityOf(type, { ...schedule, ...own }, { from: at(from), starts: starts.map(at), now: at(now) });
  return { ...answer, due: told(answer.due), deadline: told(answer.deadline), missed: answer.missed.map(told) };
}

describe('hourly runs', () => {
  test.each([
    ['none yet', [], '01 10:59', { due: '01 11:00', deadline: '01 11:30', overdue: false, missed: [] }],
    ['none in time', [], '01 11:31', { due: '01 11:00', overdue: true, missed: ['01 11:00'] }],
    ['at the very deadline', ['01 10:07'], '01 11:37', { due: '01 11:07', overdue: false, missed: [] }],
    ['a minute late', ['01 10:07'], '01 11:38', { due: '01 11:07', overdue: true, missed: ['01 11:07'] }],
    ['a scheduler that wanders', ['01 10:07', '01 11:20', '01 12:01'], '01 13:00', { due: '01 13:01', missed: [] }],
    ['a gap', ['01 10:07', '01 13:07'], '01 13:08', { overdue: false, missed: ['01 11:07', '01 12:07'] }],
    [
      'a gap that goes on',
      ['01 10:07'],
      '01 12:40',
      { due: '01 11:07', overdue: true, missed: ['01 11:07', '01 12:07'] },
    ],
  ])('%s', (_, starts, now, expected) => {
    expect(punctuality('hourly', '01 10:00', starts, now)).toMatchObject(expected);
  });

  test('of a short interval half of it is patience', () => {
    const every10 = { hourlyIntervalMs: 600_000 };
    expect(punctuality('hourly', '01 10:00', ['01 10:00'], '01 10:16', every10)).toMatchObject({
      deadline: '01 10:15',
      overdue: true,
      missed: ['01 10:10'],
    });
  });
});

describe('daily runs', () => {
  test.each([
    ['before the first', '01 01:00', [], '01 02:30', { due: '01 02:00', deadline: '01 02:30', overdue: false }],
    ['installed after the time of the day', '01 10:00', [], '02 01:00', { due: '02 02:00', overdue: false }],
    ['none in time', '01 10:00', [], '02 02:31', { due: '02 02:00', overdue: true, missed: ['02 02:00'] }],
    ['off the full hour', '01 10:00', ['02 02:23'], '03 02:30', { due: '03 02:00', overdue: false, missed: [] }],
    ['a clock that is ahead', '01 10:00', ['02 01:59'], '02 12:00', { due: '03 02:00', overdue: false, missed: [] }],
    ['late, by hand', '01 10:00', ['02 09:00'], '02 12:00', { due: '03 02:00', overdue: false, missed: ['02 02:00'] }],
    ['in the evening, then as ever', '01 10:00', ['02 23:00', '03 02:00'], '03 12:00', { missed: ['02 02:00'] }],
    ['two nights lost', '01 10:00', ['02 02:00'], '04 12:00', { overdue: true, missed: ['03 02:00', '04 02:00'] }],
  ])('%s', (_, from, starts, now, expected) => {
    expect(punctuality('daily', from, starts, now)).toMatchObject(expected);
  });

  test('around midnight', () => {
    const midnight = { dailyRunTime: '00:00' };
    expect(punctuality('daily', '01 10:00', ['01 23:50'], '02 12:00', midnight)).toMatchObject({
      due: '03 00:00',
      missed: [],
    });
    expect(punctuality('daily', '01 10:00', [], '02 00:31', midnight)).toMatchObject({ missed: ['02 00:00'] });
  });
});
