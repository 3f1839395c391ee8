import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { ProgressLine } from '../../src/talk/progress.ts';
import { runTalk } from '../../src/talk/run-talk.ts';
import { onScreen } from '../support/screen.ts';
import { Captured, testWorld } from '../support/world.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function lineOn(stderr: Captured, env: Record<string, string> = {}, silent = false): ProgressLine {
  return new ProgressLine({ stderr, env, now: () => new Date() }, silent);
}

describe('on a terminal', () => {
  test('the phase, how far it is and the time, in one line that is rewritten', () => {
    const stderr = new Captured(true);
    const line = lineOn(stderr);
    line.show('storing', '2,000 of 100,000 findings');
    vi.advanceTimersByTime(3_300);
    expect(onScreen(stderr.text)).toEqual(['storing · 2,000 of 100,000 findings · 3 s']);
    line.show('storing', '90,000 of 100,000 findings');
    vi.advanceTimersByTime(62_000);
    expect(onScreen(stderr.text)).toEqual(['storing · 90,000 of 100,000 findings · 1 min 5 s']);
    expect(stderr.text).not.toContain('\n');
    line.end();
    expect(onScreen(stderr.text)).toEqual(['']);
    const { text } = stderr;
    vi.advanceTimersByTime(10_000);
    expect(stderr.text).toBe(text);
  });

  test('nothing of what is over at once; another phase has a time of its own', () => {
    const stderr = new Captured(true);
    const line = lineOn(stderr);
    line.show('checking deposits');
    vi.advanceTimersByTime(800);
    line.show('checking withdrawals');
    vi.advanceTimersByTime(900);
    expect(stderr.text).toBe('');
    vi.advanceTimersByTime(1_500);
    expect(onScreen(stderr.text)).toEqual(['checking withdrawals · 2 s']);
    line.show('storing');
    expect(onScreen(stderr.text)).toEqual(['']);
    line.end();
  });

  test('what else is said takes its place, and it is drawn again below', () => {
    const stderr = new Captured(true);
    const line = lineOn(stderr);
    line.show('checking deposits');
    vi.advanceTimersByTime(2_000);
    line.above.write('deposits: 5 compared, 0 found\n');
    expect(onScreen(stderr.text)).toEqual(['deposits: 5 compared, 0 found', '']);
    vi.advanceTimersByTime(1_000);
    expect(onScreen(stderr.text)).toEqual(['deposits: 5 compared, 0 found', 'checking deposits · 3 s']);
    line.end();
    expect(onScreen(stderr.text)).toEqual(['deposits: 5 compared, 0 found', '']);
  });

  test('what a run reads; while a custodian is asked again that, and how long it takes at most', () => {
    const stderr = new Captured(true);
    const env = { DATABASE_URL: 'postgres://recon@127.0.0.1/app' };
    const talk = runTalk(parseConfig(env), { ...testWorld({ env }), stderr, now: () => new Date() });
    talk.reading('circle_balance', 0);
    talk.reading('alpaca_balance', 150);
    vi.advanceTimersByTime(2_000);
    expect(onScreen(stderr.text)).toEqual(['reading · circle_balance 0 · alpaca_balance 150 · 2 s']);
    talk.retrying('circle_balance', { trouble: 'GET …', attempt: 3, attemptsMax: 6 }, 300_000);
    talk.reading('alpaca_balance', 151);
    vi.advanceTimersByTime(60_000);
    expect(onScreen(stderr.text)).toEqual([
      'reading · circle_balance: attempt 3 of 6 · 1 min 2 s of 5 min 0 s at most',
    ]);
    talk.retrying('circle_balance', undefined, 300_000);
    vi.advanceTimersByTime(1_000);
    expect(onScreen(stderr.text)).toEqual(['reading · circle_balance 0 · alpaca_balance 151 · 1 min 3 s']);
    talk.end();
  });

  test('is never wider than the terminal', () => {
    const stderr = new Captured(true);
    const line = lineOn(stderr);
    line.show('reading', 'a long story '.repeat(40));
    vi.advanceTimersByTime(1_000);
    expect(onScreen(stderr.text)[0]).toHaveLength(stderr.columns - 1);
    line.end();
  });

  test('does not keep the process alive', () => {
    vi.useRealTimers();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const line = lineOn(new Captured(true));
    line.show('reading');
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
    line.end();
  });
});

test.each([
  ['a pipe', new Captured(false), {}, false],
  ['CI', new Captured(true), { CI: 'true' }, false],
  ['a dumb terminal', new Captured(true), { TERM: 'dumb' }, false],
  ['LOG_LEVEL=silent', new Captured(true), {}, true],
])('nothing at all: %s', (_, stderr, env, silent) => {
  const line = lineOn(stderr, env, silent);
  line.show('storing', '1 of 2 findings');
  vi.advanceTimersByTime(60_000);
  line.end();
  expect(stderr.text).toBe('');
  line.above.write('a line\n');
  expect(stderr.text).toBe('a line\n');
});
