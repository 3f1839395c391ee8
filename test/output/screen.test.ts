import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { count } from '../../src/count.ts';
import { localTime, screenOf, shortenerOf, shortSubject } from '../../src/output/screen.ts';
import { plain } from '../../src/plain.ts';

const inPipe = new PassThrough();
const onTerminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });

describe('colour', () => {
  test.each([
    ['a terminal', onTerminal, {}, true],
    ['a pipe', inPipe, {}, false],
    ['NO_COLOR', onTerminal, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', onTerminal, { NO_COLOR: '' }, true],
    ['CI', onTerminal, { CI: 'true' }, false],
    ['a dumb terminal', onTerminal, { TERM: 'dumb' }, false],
    ['FORCE_COLOR in a pipe', inPipe, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR over NO_COLOR', inPipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    ['FORCE_COLOR=0 on a terminal', onTerminal, { FORCE_COLOR: '0' }, false],
  ] as const)('%s', (_, stream, env, painted) => {
    const screen = screenOf(stream, { env });
    for (const text of [screen.strong('x'), screen.severity('critical'), screen.verdict('incomplete')])
      expect(text.includes('\u001b['), text).toBe(painted);
  });

  test('painted words say the same by themselves', () => {
    const screen = screenOf(inPipe, { env: {} });
    expect([screen.severity('high'), screen.verdict('passed'), screen.columns]).toEqual(['high', 'passed', Infinity]);
    expect(screenOf(onTerminal, { env: {} }).columns).toBe(80);
    expect(
      screenOf(Object.assign(new PassThrough(), { isTTY: true, columns: 0 }), { env: {} }).columns,
      'of no size',
    ).toBe(80);
  });
});

test.each([
  ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['\u009b2J', '\\u009b2J'],
  ['a\r\nb\tc\0d', 'a\\u000d\\u000ab\\u0009c\\u0000d'],
  ['\u202etxt.exe', '\\u202etxt.exe'],
  ['\u2066a\u2069\u061c\u200b\ufeff', '\\u2066a\\u2069\\u061c\\u200b\\ufeff'],
  ['\u2028\u2029', '\\u2028\\u2029'],
  ['\ud800', '\\ud800'],
  ['Zoë 支付 ✓ 💶', 'Zoë 支付 ✓ 💶'],
])('%j is shown as %s', (text, shown) => {
  expect(plain(text)).toBe(shown);
});

test('a subject is cut where its id is long, and only there', () => {
  expect(shortSubject('deposit:3f2a91bc-0000-4000-8000-000000000001')).toBe('deposit 3f2a91bc');
  expect(shortSubject('custodian:circle')).toBe('custodian circle');
  expect(shortSubject('entry:a:b')).toBe('entry a:b');
});

test('ids that were made in one moment are shown as far as they differ', () => {
  const [one, other] = ['0194a1b2-c3d4-7000-8000-000000000001', '0194a1b2-c3d4-7001-8000-000000000001'];
  const shorten = shortenerOf([other, one, null, one]);
  expect([one, other].map(shorten)).toEqual(['0194a1b2-c3d4-7000', '0194a1b2-c3d4-7001']);
  expect(shortSubject(`deposit:${one}`, shorten)).toBe('deposit 0194a1b2-c3d4-7000');
  expect(shortenerOf([one, '1194a1b2-c3d4-7000-8000-000000000001'])(one), 'no more than it takes').toBe('0194a1b2');
  expect(shortenerOf([])(one)).toBe('0194a1b2');
});

test('times are shown with their offset, whatever the zone', () => {
  const shown = localTime('2026-03-01T12:00:00.123456Z');
  expect(shown).toMatch(/^2026-0[23]-\d\d \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  expect(new Date(shown.replace(' ', 'T').replace(' ', '')).toISOString()).toBe('2026-03-01T12:00:00.000Z');
  expect(localTime('no\u001btime')).toBe('no\\u001btime');
});

test('numbers have their nouns', () => {
  expect([count(0, 'finding'), count(1, 'finding'), count(10312, 'record')]).toEqual([
    '0 findings',
    '1 finding',
    '10,312 records',
  ]);
});
