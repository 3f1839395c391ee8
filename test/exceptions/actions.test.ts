import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takesOver, whyNoName, whyNoNote, whyTooLong, type ActionName } from '../../src/exceptions/actions.ts';
import { isPlaceholder } from '../../src/placeholders.ts';

test('a note ends somewhere', () => {
  expect(whyNoNote('a'.repeat(10_000))).toBeUndefined();
  expect(whyNoNote('a'.repeat(10_001))).toBe('has more than 10,000 characters');
});

test.each(['TEXT', 'TIME', 'NAME ', '<text>'])('%s is no note', (note) => {
  expect(whyNoNote(note)).toBe(`is only the placeholder ${note.trim()}`);
});

test('every word that stands for a name, a note or a time in what recon prints is known for that', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const texts = [...files.map((name) => join('src', name)), 'README.md', 'deploy/runbook.md'].map((path) =>
    readFileSync(path, 'utf8'),
  );
  const words = texts.flatMap((text) =>
    Array.from(text.matchAll(/--(?:by|to|note|until) ([A-Z][A-Z-]+)/g), ([, word]) => word),
  );
  expect(words).not.toEqual([]);
  for (const word of words) expect(word).toSatisfy(isPlaceholder);
});

test.each([
  [' Ada Lovelace\n', undefined],
  ['a'.repeat(200), undefined],
  ['a'.repeat(201), 'has more than 200 characters'],
  [' \u200b', 'is empty'],
  ['Ada\nLovelace', 'holds control characters'],
  [' NAME', 'is only the placeholder NAME'],
  ['SOMEBODY-ELSE', 'is only the placeholder SOMEBODY-ELSE'],
  ['<name>', 'is only the placeholder <name>'],
  ['Name', undefined],
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
  ['resolve', null, 'Grace', true],
  ['resolve', null, 'ada', false],
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
