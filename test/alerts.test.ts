import { createHash } from 'node:crypto';
import type postgres from 'postgres';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { testDatabase } from './support/database.ts';
import { LedgerBuilder } from './support/ledger.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';
import { cutAt } from './support/run-check.ts';
import { answers, slowBody } from './support/sandbox-server.ts';
import { operatorOf } from './support/world.ts';

const pagerDutyKey = 'e93facc04764012d7bfb002500d5d1a6';
const secrets = [1, 2].map((number) => `whsec_${createHash('sha256').update(String(number)).digest('base64')}`);

async function desk(env: Record<string, string> = {}) {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  const own = { RECONCILIATION_CHECKS: 'deposits,withdrawals', RECONCILIATION_REQUEST_TIMEOUT: '1s', ...env };
  return { ...operatorOf(url, own), sql, ledger, ada };
}

/** Three targets, each a server of its own. */
async function targets() {
  const slack = await startReceiver({ body: 'ok' });
  const pagerduty = await startReceiver({ status: 202, body: '{"status":"success"}' });
  const webhook = await startReceiver();
  const env = {
    RECONCILIATION_ALERT_SLACK_URL: `${slack.url}/services/T000/B000/canary-of-the-slack-webhook`,
    RECONCILIATION_ALERT_PAGERDUTY_KEY: pagerDutyKey,
    RECONCILIATION_ALERT_PAGERDUTY_URL: `${pagerduty.url}/v2/enqueue`,
    RECONCILIATION_ALERT_WEBHOOK_URL: `${webhook.url}/hook`,
    RECONCILIATION_ALERT_WEBHOOK_SECRET: secrets.join(','),
  };
  return { slack, pagerduty, webhook, env };
}

interface PagerDutyEvent {
  routing_key: string;
  event_action: string;
  dedup_key: string;
  payload?: { summary: string; severity: string; timestamp: string; custom_details: Record<string, unknown> };
}

interface WebhookBody {
  type: string;
  timestamp: string;
  data: {
    report_id: string;
    totals: { change: string; check_type: string; count: number; amount: string | null }[];
    exceptions: Record<string, unknown>[];
    incomplete_checks: { check_type: string; reason: string }[];
    missed_runs: { run_type: string; count: number; slots: string[] }[];
    failure: string | null;
  };
}

function bodiesOf<Body>(receiver: Receiver): Body[] {
  return receiver.received.map(({ body }) => JSON.parse(body) as Body);
}

const eventsOf = (receiver: Receiver) =>
  bodiesOf<PagerDutyEvent>(receiver).map(({ event_action: action, dedup_key: key }) => `${action} ${key}`);

async function statesOf(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ alert: string; count: number }[]>`
    select target || ' ' || state as alert, count(*)::int as count from reconciliation_alerts group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ alert, count }) => [alert, count]));
}

describe('what a run tells', { timeout: 60_000 }, () => {
  test('new exceptions: one message for Slack and the webhook, one event for PagerDuty; then cleared', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    await runs();
    expect([slack, pagerduty, webhook].flatMap(({ received }) => received)).toEqual([]);

    const { id, subject } = ledger.deposit(ada, '5000', { post: false });
    ledger.deposit(ada, '100', { postedAmount: '99.5' }); // low: nobody is told
    await ledger.save(sql);
    const { report, exceptions } = await runs();
    const exception = exceptions.find(({ affected_entity: entity }) => entity === subject)!;
    const key = `recon/production/deposits/missing_in_ledger/${subject}`;

    const [told] = bodiesOf<WebhookBody>(webhook);
    expect(told).toMatchObject({
      type: 'reconciliation.alert',
      timestamp: new Date(String(report['completed_at'])).toISOString(),
      data: {
        environment: 'production',
        report_id: report.id,
        totals: [{ change: 'new', check_type: 'deposits', severity: 'critical', count: 1, currency: 'USDC' }],
        incomplete_checks: [],
        missed_runs: [],
        not_corrected: [],
        failure: null,
      },
    });
    expect(told!.data.exceptions).toEqual([
      {
        change: 'new',
        id: exception.id,
        severity: 'critical',
        check_type: 'deposits',
        kind: 'missing_in_ledger',
        fingerprint: `deposits/missing_in_ledger/${subject}`,
        description: `deposit ${id} is settled, but was never posted: amount of the record 5000 USDC`,
        expected: '5000',
        actual: '0',
        difference: '-5000',
        currency: 'USDC',
        report_id: report.id,
        timestamp: told!.timestamp,
      },
    ]);
    expect(slack.received).toHaveLength(1);
    expect(slack.received[0]!.body).toContain('1 new');
    expect(slack.received[0]!.body).toContain(exception.id.slice(0, 8));
    const [event] = bodiesOf<PagerDutyEvent>(pagerduty);
    expect(event).toMatchObject({
      routing_key: pagerDutyKey,
      event_action: 'trigger',
      dedup_key: key,
      payload: { severity: 'critical', custom_details: { report_id: report.id, difference: '-5000' } },
    });

    await runs(); // seen again: nothing new
    expect([slack, pagerduty, webhook].map(({ received }) => received.length)).toEqual([1, 1, 1]);

    ledger.postDeposit(ada, id, '5000');
    await ledger.save(sql);
    await runs();
    expect(eventsOf(pagerduty)).toEqual([`trigger ${key}`, `resolve ${key}`]);
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data.totals).toMatchObject([{ change: 'cleared', count: 1 }]);
    expect(slack.received[1]!.body).toContain('1 cleared');
    expect(await statesOf(sql)).toEqual({ 'pagerduty delivered': 2, 'slack delivered': 2, 'webhook delivered': 2 });
  });

  test('one that grew is escalated, under the same key; each target has its own threshold', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk({
      ...env,
      RECONCILIATION_ALERT_SLACK_SEVERITY: 'critical',
      RECONCILIATION_ALERT_WEBHOOK_SEVERITY: 'medium',
    });
    const { id, subject } = ledger.deposit(ada, '50', { post: false });
    await ledger.save(sql);
    await runs();
    await sql`update deposits set amount = 500 where id = ${id}`;
    await runs();
    await sql`update deposits set amount = 5000 where id = ${id}`;
    await runs();

    const changes = bodiesOf<WebhookBody>(webhook).map(({ data }) =>
      data.exceptions.map((told) => `${told['change'] as string} ${told['severity'] as string}`),
    );
    expect(changes).toEqual([['new medium'], ['escalated high'], ['escalated critical']]);
    const key = `recon/production/deposits/missing_in_ledger/${subject}`;
    expect(eventsOf(pagerduty)).toEqual([`trigger ${key}`, `trigger ${key}`]);
    expect(bodiesOf<PagerDutyEvent>(pagerduty).map(({ payload }) => payload!.severity)).toEqual(['error', 'critical']);
    expect(slack.received).toHaveLength(1);
  });

  test('one whose acceptance is over because it grew is told again', async () => {
    const { pagerduty, webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk(env);
    const { id } = ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    await types(['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada']);
    await sql`update deposits set amount = 900000 where id = ${id}`;
    await runs();
    expect(eventsOf(pagerduty).map((event) => event.split(' ')[0])).toEqual(['trigger', 'resolve', 'trigger']);
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data.exceptions).toMatchObject([{ change: 'escalated' }]);
  });

  test('of a check that could not tell is not over because another one can', async () => {
    const { pagerduty, env } = await targets();
    const { runs, sql } = await desk(env);
    await sql`alter table deposits rename to elsewhere`;
    await runs();
    await runs(['--check', 'withdrawals']);
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/incomplete/deposits']);
  });

  test('a person resolves or acknowledges: PagerDuty is told, under the key of the trigger', async () => {
    const { pagerduty, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk(env);
    const one = ledger.deposit(ada, '5000', { post: false });
    ledger.deposit(ada, '6000', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    await sql`alter table reconciliation_exceptions add column if not exists acknowledged_at timestamptz`;
    const other = exceptions.find(({ affected_entity: entity }) => entity !== one.subject)!;
    await sql`update reconciliation_exceptions set acknowledged_at = now() where id = ${other.id}`;
    await types([
      'exceptions',
      'resolve',
      exceptions.find(({ id }) => id !== other.id)!.id,
      '--by',
      'Ada',
      '--note',
      'x',
    ]);
    const keyOf = (subject: string) => `recon/production/deposits/missing_in_ledger/${subject}`;
    expect(eventsOf(pagerduty).slice(2)).toEqual([
      `resolve ${keyOf(one.subject)}`,
      `acknowledge ${keyOf(other.affected_entity)}`,
    ]);

    await runs(); // it is still wrong: it returns as a new exception, under the same key
    expect(eventsOf(pagerduty).slice(4)).toEqual([`trigger ${keyOf(one.subject)}`]);
  });

  test('ten thousand at once: one message each, one event per check, which ends when the check is clear', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    for (let count = 0; count < 10_000; count += 1) ledger.deposit(ada, `${2000 + count}`, { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    expect(exceptions).toHaveLength(10_000);
    expect([slack, webhook].map(({ received }) => received.length)).toEqual([1, 1]);
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/deposits']);
    const [message] = bodiesOf<WebhookBody>(webhook);
    expect(message!.data.exceptions.map((told) => told['difference'])).toEqual(
      Array.from({ length: 10 }, (_, index) => String(index - 11_999)),
    );
    expect(message!.data.totals).toMatchObject([{ count: 10_000, amount: '69995000' }]);
    expect(webhook.received[0]!.body.length).toBeLessThan(20_000);
    expect(slack.received[0]!.body).toContain('and 9990 more');

    await sql`delete from deposits where amount >= 2000`;
    await runs(['--accept-fewer']);
    expect(eventsOf(pagerduty).slice(1)).toEqual(['resolve recon/production/deposits']);
  });

  test('a check that could not tell, until it can; a run without a result; runs that did not come', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, types, sql } = await desk({ ...env, RECONCILIATION_CHECKS: 'deposits' });
    const at = (hour: number) => {
      const moment = new Date(cutAt.getTime() + hour * 3_600_000);
      return { now: moment, asOf: moment };
    };
    await runs(['--type', 'hourly'], at(0));
    await sql`alter table deposits rename to elsewhere`;
    await runs(['--type', 'hourly'], at(1));
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/incomplete/deposits']);
    expect(bodiesOf<WebhookBody>(webhook)[0]!.data.incomplete_checks).toMatchObject([
      { check_type: 'deposits', reason: expect.stringContaining('deposits') as string },
    ]);
    expect(slack.received[0]!.body).toContain('1 check incomplete');

    await sql`alter table elsewhere rename to deposits`;
    await runs(['--type', 'hourly'], at(2));
    expect(eventsOf(pagerduty).slice(1)).toEqual(['resolve recon/production/incomplete/deposits']);

    const { report } = await runs(['--type', 'hourly'], at(6));
    const slots = ['2026-03-01T15:00:00.000Z', '2026-03-01T16:00:00.000Z', '2026-03-01T17:00:00.000Z'];
    expect(report.metadata['missed']).toEqual([{ run_type: 'hourly', count: 3, slots }]);
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data.missed_runs).toEqual([{ run_type: 'hourly', count: 3, slots }]);
    expect(eventsOf(pagerduty).slice(2)).toEqual(['trigger recon/production/missed/hourly']);
    await runs(['--type', 'hourly'], at(7));
    expect(eventsOf(pagerduty).slice(3)).toEqual(['resolve recon/production/missed/hourly']);

    await sql`
      create function refuse() returns trigger language plpgsql as 'begin raise exception $$it says no$$; end';
      create trigger refuse before insert on reconciliation_checks for each row execute function refuse()`.simple();
    expect((await types(['run', '--type', 'hourly'], at(8))).exitCode).toBe(1);
    expect(bodiesOf<WebhookBody>(webhook).at(-1)!.data.failure).toContain('it says no');
    expect(eventsOf(pagerduty).slice(4)).toEqual(['trigger recon/production/run/hourly']);
    await sql`drop trigger refuse on reconciliation_checks`;
    await runs(['--type', 'hourly'], at(9));
    expect(eventsOf(pagerduty).slice(5)).toEqual(['resolve recon/production/run/hourly']);
  });
});

describe('what is sent', { timeout: 60_000 }, () => {
  test('to a webhook is signed with both secrets, as an independent library verifies it', async () => {
    const { webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    await runs([], { now: new Date() });
    const { headers, body } = webhook.received[0] as { headers: Record<string, string>; body: string };
    const [row] = await sql`select id from reconciliation_alerts where target = 'webhook'`;
    expect(headers['webhook-id']).toBe(row!['id']);
    for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secrets[0]!).verify(body.replace('5000', '5'), headers)).toThrow();
  });

  test('to Slack keeps its limits and calls nobody, whatever the host wrote into its books', async () => {
    const { slack, pagerduty, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    for (let count = 0; count < 20; count += 1) ledger.deposit(ada, `${5000 + count}`, { post: false });
    await ledger.save(sql);
    await sql`
      create function hostile() returns trigger language plpgsql as $$
        begin
          new.description := '<!channel> & <https://evil.example|click>' || repeat('&<>', 500);
          new.severity := 'critical';
          return new;
        end $$;
      create trigger hostile before insert on reconciliation_exceptions for each row execute function hostile()`.simple();
    await runs();
    const { text, blocks } = JSON.parse(slack.received[0]!.body) as {
      text: string;
      blocks: { type: string; text?: { text: string } }[];
    };
    expect(blocks.length).toBeLessThanOrEqual(20);
    expect(blocks.filter(({ type }) => type === 'section').length).toBeGreaterThanOrEqual(11);
    const texts = blocks.map((block) => block.text?.text ?? '');
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(3_000);
    expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150);
    expect(texts.join('').length).toBeLessThan(10_000);
    expect(text.length).toBeLessThan(4_000);
    expect(texts.join('')).toContain('&lt;!channel&gt; &amp; &lt;https://evil');
    expect(texts.join('')).not.toMatch(/<|&(?!amp;|lt;|gt;)/);
    for (const event of bodiesOf<PagerDutyEvent>(pagerduty)) {
      expect(event.dedup_key.length).toBeLessThanOrEqual(255);
      expect(event.payload!.summary.length).toBeLessThanOrEqual(1024);
      expect(['critical', 'error', 'warning', 'info']).toContain(event.payload!.severity);
    }
  });

  test('holds no secret, though the database writes one into what it says', async () => {
    const { slack, webhook, env } = await targets();
    const { runs, types, sql } = await desk({ ...env, CIRCLE_API_KEY: 'TEST:canary-circle-id:canary-circle-secret' });
    await sql`
      create function leak() returns trigger language plpgsql as
        'begin raise exception $$canary-of-the-slack-webhook canary-circle-secret$$; end';
      create trigger leak before insert on reconciliation_checks for each row execute function leak()`.simple();
    const { stderr } = await types(['run'], { env: { LOG_LEVEL: 'debug' } });
    await sql`drop trigger leak on reconciliation_checks`;
    await runs();
    const stored = await sql`select body::text, last_error from reconciliation_alerts`;
    const everything = [stderr, slack.received[0]!.body, webhook.received[0]!.body, JSON.stringify(stored)].join('\n');
    expect(everything).toContain('[secret]');
    expect(everything).not.toMatch(/canary|e93facc04764012d7bfb002500d5d1a6|whsec_/);
  });
});

describe('a target that does not take it', { timeout: 60_000 }, () => {
  test.each([
    ['429 with Retry-After', answers({ path: /./, times: 1 }, { status: 429, headers: { 'retry-after': '0' } }), 2],
    ['500', answers({ path: /./ }, { status: 500, body: 'no \u001b[2J' }), 3],
    ['410', answers({ path: /./ }, { status: 410 }), 1],
    ['302', answers({ path: /./ }, { status: 302, headers: { location: 'http://127.0.0.1:1/' } }), 1],
    ['never', slowBody({ path: /./, times: 0 }), 1],
  ])(
    '%s: the result of the run is the same, and the next run delivers under the same id',
    async (name, fault, tries) => {
      const { webhook, env } = await targets();
      const { runs, types, sql, ledger, ada } = await desk({
        RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
        ...(name === 'never' && { RECONCILIATION_ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/hook' }),
      });
      ledger.deposit(ada, '5000', { post: false });
      await ledger.save(sql);
      webhook.faults.push(fault);
      const { exitCode, stderr } = await types(['run'], { env: { LOG_LEVEL: 'info' } });
      expect(exitCode).toBe(2);
      const passes = name.startsWith('429');
      expect(await statesOf(sql)).toEqual({ [passes ? 'webhook delivered' : 'webhook waiting']: 1 });
      if (!passes) expect(stderr).toMatch(/alerts\.undelivered.*webhook .*1 alert was not delivered/);
      webhook.faults.length = 0;
      await runs([], { env: { RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL } });
      expect(await statesOf(sql)).toEqual({ 'webhook delivered': 1 });
      if (name !== 'never') expect(webhook.received).toHaveLength(passes ? tries : tries + 1);
      expect(new Set(webhook.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    },
  );

  test('says nothing at all: given up for this run after a while', async () => {
    const { webhook, env } = await targets();
    const { types, sql, ledger, ada } = await desk({
      RECONCILIATION_ALERT_WEBHOOK_URL: env.RECONCILIATION_ALERT_WEBHOOK_URL,
    });
    for (const amount of ['5000', '6000']) ledger.deposit(ada, amount, { post: false });
    await ledger.save(sql);
    webhook.faults.push({
      path: /./,
      respond: () => ({ status: 500, headers: {}, body: 'x'.repeat(20), sendOnly: 0, then: 'hang' }),
    });
    const begun = performance.now();
    expect((await types(['run'])).exitCode).toBe(2);
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(await statesOf(sql)).toEqual({ 'webhook waiting': 1 });
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

    const failed = await types(['alerts', 'retry']);
    expect(failed.exitCode).toBe(3);
    webhook.faults.length = 0;
    const [row] = await sql`select id from reconciliation_alerts`;
    const retried = await types(['alerts', 'retry', String(row!['id']).slice(0, 8)]);
    expect([retried.exitCode, retried.stdout]).toEqual([0, 'webhook: 1 delivered\n']);
    const listed = JSON.parse((await types(['alerts', 'list', '-o', 'json'])).stdout) as { alerts: object[] };
    expect(listed.alerts).toMatchObject([{ id: row!['id'] as string, state: 'delivered', target: 'webhook' }]);
  });
});

test('recon alerts test says for each target whether it takes it', async () => {
  const { slack, pagerduty, webhook, env } = await targets();
  const { types, sql } = await desk(env);
  slack.faults.push(answers({ path: /./ }, { status: 403, body: 'invalid_token' }));
  const { exitCode, stdout } = await types(['alerts', 'test']);
  expect(exitCode).toBe(3);
  expect(stdout).toBe('slack: answered 403 invalid_token\npagerduty: took it\nwebhook: took it\n');
  expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/test', 'resolve recon/production/test']);
  expect(bodiesOf<WebhookBody>(webhook)).toMatchObject([{ type: 'reconciliation.test' }]);
  expect(await statesOf(sql)).toEqual({});
  const nobody = await (await desk()).types(['alerts', 'test']);
  expect(nobody.exitCode).toBe(78);
  expect(nobody.stderr).toContain('No target of alerts is configured');
});
