import { expect, test } from 'vitest';
import { takesOver, whyNoName, whyNoNote, whyTooLong, type ActionName } from '../../src/exceptions/actions.ts';

test('a note ends somewhere', () => {
  expect(whyNoNote('a'.repeat(10_000))).toBeUndefined();
  expect(whyNoNote('a'.repeat(10_001))).toBe('has more than 10,000 characters');
});

test.each([
  [' Ada Lovelace\n', undefined],
  ['a'.repeat(200), undefined],
  ['a'.repeat(201), 'has more than 200 characters'],
  [' \u200b', 'is empty'],
  ['Ada\nLovelace', 'holds control characters'],
  ['ＳＹＳ\u200btem ', 'cannot be system, which is what recon itself signs with'],
])('%j as a name: %s', (name, why) => {
  expect(whyNoName(name)).toBe(why);
});

test.each<[action: ActionName, assignee: string | null, holder: string | null, isTakenOver: boolean]>([
  ['acknowledge', null, 'Grace', true],
  ['acknowledge', null, 'ada', false],
  ['acknowledge', null, null, false],
  ['assign', 'Bob', 'Grace', true],
  ['assign', 'grace', 'Grace', false],
  ['assign', 'Bob', 'Ada', false],
  ['assign', 'Bob', null, false],
  ['comment', null, 'Grace', false],
])('Ada’s %s to %s of what is held by %s', (action, assignee, holder, isTakenOver) => {
  expect(takesOver({ action, assignee, note: null, until: null }, holder, 'Ada')).toBe(isTakenOver);
});

test.each<[action: ActionName, until: string | null, why: string | undefined]>([
  ['accept', '2027-03-02T12:00:00Z', undefined],
  ['accept', '2027-03-02T12:00:00.001Z', 'accept is for a year at most, not until 2027-03-02.'],
  ['accept', null, undefined],
  ['snooze', '2030-01-01T00:00:00Z', undefined],
])('%s until %s, on the first of March 2026', (action, until, why) => {
  expect(whyTooLong({ action, until }, new Date('2026-03-01T12:00:00Z'))).toBe(why);
});
