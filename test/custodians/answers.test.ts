import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson, quote, type RawAnswer } from '../../src/custodians/answers.ts';
import { readAmount } from '../../src/custodians/amounts.ts';
import { askedWaitMs, backOffMs } from '../../src/custodians/retries.ts';

describe('parseExactJson', () => {
  it('keeps every number as it was written', () => {
    const text = '{"a":0.10,"b":[-1e5,12345678901234567890.000000000000000001,0],"c":"1 \\"2\\" 3","4":true,"d":null}';
    expect(parseExactJson(text)).toEqual({
      a: '0.10',
      b: ['-1e5', '12345678901234567890.000000000000000001', '0'],
      c: '1 "2" 3',
      4: true,
      d: null,
    });
  });

  it('leaves everything that is no number as JSON.parse does', () => {
    const noNumbers = fc
      .jsonValue()
      .map((value) => JSON.stringify(value, (_key, part: unknown) => (typeof part === 'number' ? `${part}` : part)));
    fc.assert(
      fc.property(noNumbers, (text) => {
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 100 },
    );
  });

  it.each(['{1:2}', '[01]', '[1 2]', '[+1]', '[1.]', '', '[NaN]', '{"a":1'])(
    'refuses %j as JSON.parse does',
    (text) => {
      expect(() => parseExactJson(text)).toThrow(SyntaxError);
    },
  );
});

describe('readAmount', () => {
  it.each(['0', '-1.50', '00.1', `${'9'.repeat(40)}.${'9'.repeat(40)}`])('takes %s', (text) => {
    expect(readAmount(text)).toBeDefined();
  });

  it.each(['', ' 1', '1 ', '+1', '.5', '1.', '1e5', '0x10', 'NaN', 'Infinity', '1,5', '9'.repeat(41), undefined])(
    'does not take %j',
    (text) => {
      expect(readAmount(text)).toBeUndefined();
    },
  );
});

describe('quote', () => {
  it('is one line without anything that a terminal or a database would take for an order', () => {
    expect(quote('a\n\u001b[2J\u0000\u200b\u2028\ud800é😀')).toBe('a\\u000a\\u001b[2J\\u0000\\u200b\\u2028\\ud800é😀');
    expect(quote('abcdef', 3)).toBe('abc…');
  });
});

describe('the wait before a retry', () => {
  const now = new Date('2026-11-22T10:00:00Z');
  const seconds = now.getTime() / 1000;
  const wait = (status: number, headers: Record<string, string>) => {
    const answer: RawAnswer = { status, headers: new Headers(headers), text: '', hide: (text) => text };
    return askedWaitMs(answer, now);
  };

  it.each([
    ['Retry-After in seconds', 503, { 'retry-after': '7' }, 7_000],
    ['Retry-After as a date', 429, { 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30_000],
    ['Retry-After in the past', 429, { 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' }, 0],
    [
      'Retry-After by a clock that is ten minutes ahead of ours',
      429,
      { 'retry-after': 'Sun, 22 Nov 2026 10:10:30 GMT', date: 'Sun, 22 Nov 2026 10:10:00 GMT' },
      30_000,
    ],
    ['Retry-After that says nothing', 429, { 'retry-after': 'later' }, undefined],
    ['Retry-After before the reset', 429, { 'retry-after': '2', 'x-ratelimit-reset': `${seconds + 9}` }, 2_000],
    ['a reset', 429, { 'x-ratelimit-reset': `${seconds + 9}` }, 10_000],
    [
      'a reset of an answer that was not refused for its rate',
      503,
      { 'x-ratelimit-reset': `${seconds + 9}` },
      undefined,
    ],
    [
      'a reset by a clock that is a minute behind ours',
      429,
      { 'x-ratelimit-reset': `${seconds - 51}`, date: 'Sun, 22 Nov 2026 09:59:00 GMT' },
      10_000,
    ],
    ['a date that is none', 429, { 'x-ratelimit-reset': `${seconds + 9}`, date: 'today' }, 10_000],
    ['a reset in the past', 429, { 'x-ratelimit-reset': `${seconds - 9}` }, undefined],
    ['a reset that no window reaches', 429, { 'x-ratelimit-reset': `${seconds + 3600}` }, undefined],
    ['a reset that is no time', 429, { 'x-ratelimit-reset': 'never' }, undefined],
    ['nothing', 429, {}, undefined],
  ])('%s', (_what, status, headers, expected) => {
    expect(wait(status, headers)).toBe(expected);
  });

  it('doubles from half a second to half a minute, jitter included', () => {
    const half = () => 0.5;
    expect([1, 2, 3, 7, 20].map((attempt) => backOffMs(attempt, half))).toEqual([250, 500, 1000, 15_000, 15_000]);
    expect(backOffMs(5, () => 0)).toBe(0);
  });
});
