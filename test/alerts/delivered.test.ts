import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { desk, targets, type WebhookBody, bodiesOf, eventsOf, statesOf } from '../support/alert-targets.ts';
import type { Receiver } from '../support/receiver.ts';
import { cutAt } from '../support/run-check.ts';
import { answers, type Fault } from '../support/sandbox-server.ts';

const at = (hour: number) => {
  const moment = new Date(cutAt.getTime() + hour * 3_600_000);
  return { now: moment, asOf: moment };
};

describe('a target that does not take it', { timeout: 60_000 }, () => {
  test('whatever it answers: the result of the run is the same, and it is delivered later under the same id', async () => {
    const { webhook, env } = await targets();
    const { types, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
    });
    const answer = (status: number, headers = {}, body = '') => answers({ path: /./ }, { status, headers, body });
    const cases: [name: string, fault: Fault | undefined, tries: number, own?: Record<string, string>][] = [
      ['429 with Retry-After', { ...answer(429, { 'retry-after': '0' }), times: 1 }, 2],
      ['500', answer(500, {}, 'no \u001b[2J'), 3],
      ['410', answer(410), 1],
      ['302', answer(302, { location: webhook.url }), 1],
      ['429 with a Retry-After of years', answer(429, { 'retry-after': '9'.repeat(30) }), 1],
      ['unreachable', undefined, 0, { RECONCILIATION_ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/hook' }],
    ];
    for (const [name, fault, tries, own] of cases) {
      ledger.deposit(ada, '5000', { post: false });
      await ledger.save(sql);
      webhook.received.length = 0;
      if (fault !== undefined) webhook.faults.push(fault);
      const { exitCode, stderr } = await types(['run', '--check', 'deposits'], { env: { LOG_LEVEL: 'info', ...own } });
      expect(exitCode, name).toBe(2);
      const states = () => sql`select state from reconciliation_alerts order by number desc limit 1`;
      const passes = name === '429 with Retry-After';
      expect(await states(), name).toEqual([{ state: passes ? 'delivered' : 'waiting' }]);
      if (!passes) expect(stderr, name).toMatch(/alerts\.undelivered.*webhook .*1 alert was not delivered/);
      webhook.faults.length = 0;
      await types(['alerts', 'retry']);
      expect(await states(), name).toEqual([{ state: 'delivered' }]);
      expect(webhook.received, name).toHaveLength(passes ? tries : tries + 1);
      expect(new Set(webhook.received.map(({ headers }) => headers['webhook-id'])).size, name).toBe(1);
    }
  });

  test('is silent: given up for this run after a while; one whose body never ends has said that it took it', async () => {
    const { webhook, env } = await targets();
    const silent = await silentOnce();
    const { types, sql, ledger, ada } = await desk({ RECONCILIATION_ALERT_WEBHOOK_URL: silent.url });
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    expect((await types(['run'])).exitCode).toBe(2);
    expect(silent.connections()).toBe(3);
    expect(await statesOf(sql)).toEqual({ 'webhook waiting': 1 });
    webhook.faults.push({
      path: /./,
      respond: () => ({ status: 200, headers: {}, body: 'x', sendOnly: 0, then: 'hang' }),
    });
    await types(['run'], { env: { RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL } });
    expect(await statesOf(sql)).toEqual({ 'webhook delivered': 1 });
  });

  test('and refuses a beginning hears of the end after it, not before; a new beginning waits for no end', async () => {
    const { pagerduty, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk(env);
    const { id } = ledger.deposit(ada, '6000', { post: false });
    const other = ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    const isRefused = (body: string) => body.includes('"trigger"') && body.includes(id);
    pagerduty.faults.push({
      path: /./,
      respond: (real, { body }) => ({ ...real(), ...(isRefused(body) && { status: 400 }) }),
    });
    await runs();
    ledger.postDeposit(ada, id, '6000');
    await ledger.save(sql);
    await runs();
    pagerduty.faults.length = 0;
    await types(['alerts', 'retry']);
    const acts = eventsOf(pagerduty).filter((event) => event.endsWith(id));
    expect(acts.map((event) => event.split(' ')[0])).toEqual(['trigger', 'trigger', 'trigger', 'resolve']);
    expect(await statesOf(sql)).toMatchObject({ 'pagerduty delivered': 3 });

    pagerduty.faults.push(answers({ path: /./ }, { status: 503 }));
    ledger.postDeposit(ada, other.id, '5000');
    await ledger.save(sql);
    await runs();
    pagerduty.faults.length = 0;
    const next = ledger.deposit(ada, '9000', { post: false });
    await ledger.save(sql);
    await runs();
    const key = (subject: string) => `recon/production/deposits/missing_in_ledger/${subject}`;
    expect(eventsOf(pagerduty).slice(-2)).toEqual([`trigger ${key(next.subject)}`, `resolve ${key(other.subject)}`]);
  });

  test('what was given up is not sent after what came of it, whoever retries', async () => {
    const { pagerduty, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk({
      ...env,
      RECONCILIATION_ALERT_MAX_AGE: '1h',
      RECONCILIATION_HOURLY_INTERVAL: '1440',
    });
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    pagerduty.faults.push(answers({ path: /./ }, { status: 400 }));
    const { exceptions } = await runs([], at(0));
    await runs([], at(2));
    pagerduty.faults.length = 0;
    const unheard = async () => {
      const { stdout } = await types(['status', '-o', 'json'], at(2));
      return (JSON.parse(stdout) as { alerts: object }).alerts;
    };
    expect(await unheard()).toEqual({ waiting: 0, dead: 1 });
    await types(['exceptions', 'resolve', exceptions[0]!.id, '--by', 'Ada', '--note', 'x'], at(2));
    expect(await unheard(), 'how it ended was heard').toEqual({ waiting: 0, dead: 0 });
    const retried = await types(['alerts', 'retry'], at(2));
    expect([retried.exitCode, retried.stdout]).toEqual([
      0,
      'slack: 0 delivered\npagerduty: 0 delivered\nwebhook: 0 delivered\n',
    ]);
    const [trigger, ...others] = await sql`
      select id, state, last_error from reconciliation_alerts where target = 'pagerduty' order by number`;
    expect(trigger).toMatchObject({ state: 'dead', last_error: expect.stringMatching(/^overtaken: /) as string });
    expect(others).toMatchObject([{ state: 'delivered' }]);
    expect(eventsOf(pagerduty).at(-1)).toMatch(/^resolve /);

    const asked = await types(['alerts', 'retry', trigger!['id'] as string], at(2));
    expect(asked.exitCode).toBe(2);
    expect(asked.stdout).toMatch(/^[0-9a-f]{8}: dead, overtaken: /m);
  });

  test('for a target that is not configured any more, cannot be told to it; retry says so', async () => {
    const { webhook, slack, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_SLACK_URL: env.RECONCILIATION_ALERT_SLACK_URL,
      RECONCILIATION_ALERT_MAX_AGE: '1h',
    });
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    slack.faults.push(answers({ path: /./ }, { status: 404 }));
    await runs([], at(0));
    const [row] = await sql<{ id: string }[]>`select id from reconciliation_alerts`;
    const own = {
      RECONCILIATION_ALERT_SLACK_URL: '',
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
    };
    for (const [hour, state] of [
      [0.5, 'waiting'],
      [2, 'dead'],
    ] as const)
      expect(await types(['alerts', 'retry', row!.id], { ...at(hour), env: own })).toMatchObject({
        exitCode: 2,
        stdout: expect.stringContaining(
          `\n${row!.id.slice(0, 8)}: ${state}, slack is not configured any more\n`,
        ) as string,
      });
    expect(webhook.received).toHaveLength(1); // what stands
  });

  test('is told once, though two deliver at the same time', async () => {
    const { webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk();
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    webhook.faults.push(answers({ path: /./, times: 1 }, { status: 404 }));
    const own = { env: { RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL } };
    await runs([], own);
    const both = await Promise.all([types(['alerts', 'retry'], own), types(['alerts', 'retry'], own)]);
    expect(both.map(({ stdout }) => stdout).toSorted()).toEqual(['webhook: 0 delivered\n', 'webhook: 1 delivered\n']);
    expect(webhook.received).toHaveLength(2);
  });

  test('is dead after its age; retry sends it all the same', async () => {
    const { webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
      RECONCILIATION_ALERT_MAX_AGE: '1h',
      RECONCILIATION_HOURLY_INTERVAL: '1440',
    });
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    webhook.faults.push(answers({ path: /./ }, { status: 404, body: 'no such hook' }));
    await runs();
    const later = new Date(cutAt.getTime() + 2 * 3_600_000);
    await runs([], { now: later, asOf: later });
    expect(await statesOf(sql)).toEqual({ 'webhook dead': 1 });
    const { stdout } = await types(['alerts', 'list']);
    expect(stdout).toMatch(/dead .*webhook .*2 .*answered 404 no such hook/);

    const [row] = await sql`select id from reconciliation_alerts`;
    const short = String(row!['id']).slice(0, 8);
    const other = short.startsWith('0') ? 'ffff' : '0000';
    expect(await types(['alerts', 'retry', short, other])).toMatchObject({
      exitCode: 64,
      stdout: '',
      stderr: `recon: There is no alert whose id begins with "${other}".\n\`recon alerts list\` shows them.\nrecon: exit 64\n`,
    });
    expect(await statesOf(sql)).toEqual({ 'webhook dead': 1 });

    const failed = await types(['alerts', 'retry']);
    expect(failed.exitCode).toBe(3);
    webhook.faults.length = 0;
    const retried = await types(['alerts', 'retry', short.toUpperCase()]);
    expect([retried.exitCode, retried.stdout]).toEqual([0, `webhook: 1 delivered\n${short}: delivered\n`]);
    const listed = JSON.parse((await types(['alerts', 'list', '-o', 'json'])).stdout) as { alerts: object[] };
    expect(listed.alerts).toMatchObject([{ id: row!['id'] as string, state: 'delivered', target: 'webhook' }]);
  });
});

describe('a target that is down', { timeout: 60_000 }, () => {
  test('for one alert only takes the others', async () => {
    const { webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
    });
    const { id } = ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    webhook.faults.push({
      path: /./,
      respond: (real, { body }) => ({ ...real(), ...(body.includes(id) && { status: 500 }) }),
    });
    await runs();
    ledger.deposit(ada, '6000', { post: false });
    await ledger.save(sql);
    await runs();
    expect(await statesOf(sql)).toEqual({ 'webhook delivered': 1, 'webhook waiting': 1 });
  });

  test('for longer than an alert lives: all that are too old are given up and counted, and it is not asked for each', async () => {
    const { webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
      RECONCILIATION_ALERT_MAX_AGE: '1h',
      RECONCILIATION_HOURLY_INTERVAL: '1440',
    });
    webhook.faults.push(answers({ path: /./ }, { status: 429, headers: { 'retry-after': '3600' } }));
    for (const hour of [0, 0.1, 0.2, 2]) {
      ledger.deposit(ada, '5000', { post: false });
      await ledger.save(sql);
      await runs([], at(hour));
    }
    expect(await statesOf(sql)).toEqual({ 'webhook dead': 3, 'webhook waiting': 1 });
    expect(webhook.received).toHaveLength(4);
    expect((await types(['metrics', 'print'], at(2))).stdout).toContain(
      'reconciliation_alert_deliveries_total{target="webhook",outcome="dead"} 3\n',
    );
  });
});

test('recon alerts test says for each target whether it takes it', async () => {
  const { slack, pagerduty, webhook, env } = await targets();
  const { types, sql } = await desk(env);
  slack.faults.push(answers({ path: /./ }, { status: 403, body: 'invalid_token' }));
  const { exitCode, stdout, stderr } = await types(['alerts', 'test']);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(
    /^recon: 1 of 3 targets did not take the test message.\nCheck RECONCILIATION_ALERT_SLACK_URL /,
  );
  const hostOf = ({ url }: Receiver) => new URL(url).host;
  expect(stdout).toBe(
    `slack at ${hostOf(slack)}: answered 403 invalid_token\n` +
      `pagerduty at ${hostOf(pagerduty)}: took it\nwebhook at ${hostOf(webhook)}: took it\n`,
  );
  expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/test', 'resolve recon/production/test']);
  expect(stderr, 'it was reached').not.toContain('may connect');
  slack.faults.splice(0, 1, answers({ path: /./ }, { status: 302, body: 'Found' }));
  pagerduty.faults.push(answers({ path: /./ }, { status: 200, body: 'ok' }));
  const elsewhere = { RECONCILIATION_ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/hook' };
  const refused = await types(['alerts', 'test'], { env: elsewhere });
  expect(refused.stdout).toBe(
    `slack at ${hostOf(slack)}: answered 302 Found (a redirect, which is not followed)\n` +
      `pagerduty at ${hostOf(pagerduty)}: answered 200 ok (only 202 says that it was taken)\n` +
      'webhook at 127.0.0.1:1: could not be reached (ECONNREFUSED)\n',
  );
  expect(refused.stderr).toContain('may connect to the host of RECONCILIATION_ALERT_WEBHOOK_URL; then');
  expect(bodiesOf<WebhookBody>(webhook)).toMatchObject([{ type: 'reconciliation.test' }]);
  expect(await statesOf(sql)).toEqual({});
  const { types: typesAlone } = await desk();
  const nobody =
    'recon: No target of alerts is set: nobody is told of anything.\nSet RECONCILIATION_ALERT_WEBHOOK_URL, ';
  expect(await typesAlone(['alerts', 'test'])).toMatchObject({
    exitCode: 78,
    stderr: expect.stringContaining(nobody) as string,
  });
  expect(await typesAlone(['alerts', 'list'])).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(`No alerts.\n${nobody}`) as string,
  });
});

/** Takes the first connection and says nothing; the next ones it closes. */
async function silentOnce(): Promise<{ url: string; connections: () => number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    if (sockets.push(socket) > 1) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    connections: () => sockets.length,
  };
}
