import { expect, test } from 'vitest';
import { createLogger } from '../../src/talk/log.ts';
import { createMask } from '../../src/secrets.ts';
import { variables, type Variable } from '../../src/environment/variables.ts';
import { testDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startReceiver } from '../support/receiver.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, testWorld } from '../support/world.ts';

const mask = createMask({ CIRCLE_API_KEY: 'canary-circle-key' });

test('JSON lines for machines, without secrets', () => {
  const { stderr, now } = testWorld();
  const log = createLogger({ stderr, now }, { level: 'info', format: 'auto' }, mask);
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
    {
      level: 'error',
      error: {
        kind: 'Error',
        type: 'Error',
        message: '[secret]',
        stack: expect.stringMatching(/^Error: \[secret\]\n +at /) as string,
      },
    },
  ]);
  expect(stderr.text).not.toContain('authorization');
});

test('the names of the Elastic Common Schema, on a terminal too', () => {
  const { stderr, now } = testWorld({ terminal: true });
  createLogger({ stderr, now }, { level: 'info', format: 'ecs' }, mask).error(
    { error: new TypeError('canary-circle-key') },
    'no',
  );
  expect(JSON.parse(stderr.text)).toEqual({
    '@timestamp': '2026-03-01T12:00:00.000Z',
    'log.level': 'error',
    'service.name': 'recon',
    'ecs.version': '8.11.0',
    message: 'no',
    error: {
      type: 'TypeError',
      message: '[secret]',
      stack_trace: expect.stringContaining('TypeError: [secret]') as string,
    },
  });
});

test('one plain line each on a terminal, whatever an API wrote into it', () => {
  const { stderr, now } = testWorld({ terminal: true });
  const log = createLogger({ stderr, now }, { level: 'info', format: 'auto' }, mask);
  log.info('circle_balance: 500 read');
  log.warn('Circle said \u001b[2J\nrecon: exit 0');
  expect(stderr.text).toBe(
    '12:00:00 circle_balance: 500 read\n12:00:00 warn: Circle said \\u001b[2J\\u000arecon: exit 0\n',
  );
});

test('goes on below itself where a terminal is narrower, and nowhere else; no secret is broken in two', () => {
  const words = `circle_balance: incomplete: ${'many words '.repeat(6)}canary-circle-key`;
  const logged = (terminal: boolean) => {
    const { stderr, now } = testWorld({ terminal, columns: 40 });
    createLogger({ stderr, now }, { level: 'info', format: 'auto' }, mask).info(words);
    return stderr.text;
  };
  const lines = logged(true).trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line).toMatch(/^.{9}.{1,31}$/);
  expect(lines.map((line) => line.slice(9)).join(' ')).toBe(words.replace('canary-circle-key', '[secret]'));
  expect(logged(false).match(/\n/g)).toHaveLength(1);
});

test('every line of a run names it, with words that log systems do not take for their own', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  ledger.deposit(ledger.user(), '5000', { post: false });
  await ledger.save(sql);
  const { types } = operatorOf(url, { LOG_LEVEL: 'info', RECONCILIATION_CHECKS: 'deposits' });
  const { stderr } = await types(['run', '--type', 'daily']);
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const [report] = await sql<{ id: string }[]>`select id from reconciliation_reports`;
  const run = { run_id: report!.id, run_type: 'daily', service: 'recon', level: 'info' };
  expect(events).toMatchObject([
    { ...run, event: 'run.started' },
    { ...run, event: 'check.finished', check_type: 'deposits', duration_ms: 0 },
    { ...run, event: 'run.finished', run_status: 'completed', verdict: 'failed', duration_ms: 0, exceptions: 1 },
    { ...run, event: 'exceptions.found', exception_severity: 'critical', exceptions: 1 },
  ]);
  for (const event of events)
    for (const taken of ['status', 'host', 'date', 'severity', 'source']) expect(event).not.toHaveProperty(taken);
});

test('what is no bug has no stack: a Pushgateway in trouble, no connection left, a database that closes', async () => {
  const { url, sql } = await testDatabase();
  const gateway = await startReceiver({ status: 500 });
  const role = await login(sql, url);
  await sql.unsafe(`
    grant all on all tables in schema public to ${role.name};
    alter role ${role.name} connection limit 2`);
  const { types } = operatorOf(role.url, {
    LOG_LEVEL: 'info',
    RECONCILIATION_CHECKS: 'deposits',
    PUSHGATEWAY_URL: gateway.url,
  });
  const full = await types(['run']);
  expect(full.stdout).toMatch(
    /deposits: The server gives this role no further connection: too many .* raise the limit/,
  );
  await sql.unsafe(`alter role ${role.name} connection limit 0`);
  const none = await types(['status']);
  expect(none.exitCode).toBe(3);
  expect(none.stderr).toMatch(/gives the role of DATABASE_URL no further connection: too many .*\n.* raise the limit/);
  await sql.unsafe(`
    alter role ${role.name} connection limit 20;
    create function leave() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
    create trigger leave before insert on reconciliation_checks for each row execute function leave()`);
  const closed = await types(['run']);
  for (const { exitCode, stderr } of [full, closed]) {
    expect(exitCode).toBe(3);
    expect(stderr).toContain('answered 500');
    expect(stderr).not.toContain('"stack"');
  }
  expect(closed.stderr).toMatch(/"level":"error".*"event":"run.finished".*"error":\{/);
});

test('a canary in every secret variable, and in no line, alert or stored reason', async () => {
  const { url, sql } = await testDatabase();
  const webhook = await startReceiver({ status: 500 });
  const canaries: Record<string, string> = {
    SOURCE_DATABASE_URL: 'postgres://recon:canary-source-password@127.0.0.1:1/app',
    CORRECTION_DATABASE_URL: 'postgres://recon:canary-correction-password@127.0.0.1:1/ledger',
    CIRCLE_API_KEY: 'TEST_API_KEY:canary-circle-id-0001:canary-circle-secret-1',
    ALPACA_API_KEY: 'CANARYALPACAKEY',
    ALPACA_API_SECRET: 'canary-alpaca-secret',
    RECONCILIATION_ALERT_WEBHOOK_URL: `${webhook.url}/canary-of-the-webhook-path`,
    RECONCILIATION_ALERT_WEBHOOK_SECRET: `whsec_${'CANARY'.repeat(8)}`,
    RECONCILIATION_ALERT_SLACK_URL: 'http://127.0.0.1:1/services/canary-of-the-slack-path',
    RECONCILIATION_ALERT_PAGERDUTY_KEY: 'CANARY0123456789CANARY0123456789',
    PUSHGATEWAY_URL: 'http://recon:canary-push-password@127.0.0.1:1',
  };
  const role = await login(sql, url);
  const names = variables.filter((variable: Variable) => variable.kind === 'secret').map(({ name }) => name);
  expect(Object.keys(canaries).toSorted()).toEqual(names.filter((name) => name !== 'DATABASE_URL').toSorted());

  const spoken = [...Object.values(canaries), role.password].join(' ');
  await sql.unsafe(`
    create function leak() returns trigger language plpgsql as $$ begin raise exception '%', '${spoken}'; end $$;
    create trigger leak before insert on reconciliation_checks for each row execute function leak()`);
  await sql.unsafe(`grant all on all tables in schema public to ${role.name}`);
  const { types } = operatorOf(role.url, { ...canaries, LOG_LEVEL: 'debug', RECONCILIATION_REQUEST_TIMEOUT: '1s' });
  const outcomes = [
    await types(['run']),
    await types(['alerts', 'retry']),
    await types(['alerts', 'test']),
    await types(['alerts', 'list', '-o', 'json']),
    await types(['metrics', 'push']),
    await types(['reports', 'show']),
    await types(['run'], { env: { RECONCILIATION_ALERT_PAGERDUTY_KEY: 'canary-too-short' } }),
  ];
  const stored = await sql`select row_to_json(alert)::text from reconciliation_alerts as alert`;
  const reasons = await sql`select error_message from reconciliation_reports`;
  const everything = JSON.stringify([outcomes, stored, reasons, webhook.received.map(({ body }) => body)]);
  expect(everything).toContain('[secret]');
  expect(everything.replaceAll(role.name, '').match(/.{40}canary.{20}/gi)).toBeNull();
});
