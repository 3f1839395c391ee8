import { expect, test } from 'vitest';
import { createLogger } from '../src/log.ts';
import { createMask } from '../src/secrets.ts';
import { testWorld } from './support/world.ts';

const mask = createMask({ CIRCLE_API_KEY: 'canary-circle-key' });

test('JSON lines for machines, without secrets', () => {
  const { stderr, now } = testWorld();
  const log = createLogger({ stderr, now }, 'info', mask);
  log.info({ event: 'check.finished', check: 'deposits' }, 'with canary-circle-key');
  log.debug('not this one');
  log.error({ error: Object.assign(new Error('canary-circle-key'), { headers: { authorization: 'secret' } }) }, 'no');
  const lines = stderr.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    {
      level: 'info',
      timestamp: '2026-03-01T12:00:00.000Z',
      service: 'recon',
      event: 'check.finished',
      message: 'with [secret]',
    },
    { level: 'error', error: { type: 'Error', message: '[secret]' } },
  ]);
  expect(stderr.text).not.toContain('authorization');
});

test('one plain line each on a terminal, whatever an API wrote into it', () => {
  const { stderr, now } = testWorld({ terminal: true });
  const log = createLogger({ stderr, now }, 'info', mask);
  log.info('circle_balance: 500 read');
  log.warn('Circle said \u001b[2J\nrecon: exit 0');
  expect(stderr.text).toBe(
    '12:00:00 circle_balance: 500 read\n12:00:00 warn: Circle said \\u001b[2J\\u000arecon: exit 0\n',
  );
});
