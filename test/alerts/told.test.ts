import { describe, expect, test } from 'vitest';
import {
  pagerDutyKey,
  desk,
  targets,
  type PagerDutyEvent,
  type WebhookBody,
  bodiesOf,
  eventsOf,
  statesOf,
} from '../support/alert-targets.ts';
import type { Receiver } from '../support/receiver.ts';
import { untilWaited } from '../support/database.ts';
import { cutAt } from '../support/run-check.ts';
import type { Outcome } from '../support/world.ts';

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

  test('that one which became small is over: whoever heard of it hears that too, and nobody else', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk({ ...env, RECONCILIATION_ALERT_SLACK_SEVERITY: 'critical' });
    const { id, subject } = ledger.deposit(ada, '500', { post: false });
    await ledger.save(sql);
    await runs();
    await sql`update deposits set amount = 0.5 where id = ${id}`;
    await runs();
    expect(webhook.received).toHaveLength(1);
    await sql`delete from deposits where id = ${id}`;
    await runs();

    const told = bodiesOf<WebhookBody>(webhook).flatMap(({ data }) => data.exceptions);
    expect(told).toMatchObject([
      { change: 'new', severity: 'high', fingerprint: `deposits/missing_in_ledger/${subject}` },
      { change: 'cleared', severity: 'low', fingerprint: `deposits/missing_in_ledger/${subject}` },
    ]);
    expect(eventsOf(pagerduty).map((event) => event.split(' ')[0])).toEqual(['trigger', 'resolve']);
    expect(slack.received).toHaveLength(0);
  });

  test('one that became another kind is replaced, also where what took its place is too small to be told', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    const [one, other] = ['5000', '6000'].map((amount) => ledger.deposit(ada, amount, { post: false }));
    await ledger.save(sql);
    await runs();
    ledger.postDeposit(ada, one!.id, '4999.5');
    ledger.postDeposit(ada, other!.id, '1000');
    await ledger.save(sql);
    await runs();

    expect(changesTo(webhook)).toEqual([['2 new'], ['1 new', '2 replaced']]);
    const told = bodiesOf<WebhookBody>(webhook)[1]!.data;
    expect(told.exceptions.map(({ change, kind }) => [change, kind])).toEqual([
      ['new', 'amount_mismatch'],
      ['replaced', 'missing_in_ledger'],
      ['replaced', 'missing_in_ledger'],
    ]);
    expect(told.next[0]).toBe(`recon exceptions show ${String(told.exceptions[0]!['id']).slice(0, 8)}`);
    expect(slack.received[1]!.body).toContain('1 new, 2 replaced');
    expect(eventsOf(pagerduty).map((event) => event.split(' ')[0])).toEqual([
      ...['trigger', 'trigger'],
      ...['trigger', 'resolve', 'resolve'], // the ends last: see waitingFor
    ]);
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
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data.exceptions).toMatchObject([{ change: 'reopened' }]);
  });

  test('of a check that could not tell is not over because another one can', async () => {
    const { pagerduty, env } = await targets();
    const { runs, sql } = await desk({ ...env, RECONCILIATION_CHECKS: 'deposits,withdrawals' });
    await sql`alter table deposits rename to elsewhere`;
    await runs();
    await runs(['--check', 'withdrawals']);
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/incomplete/deposits']);
  });

  test('a person resolves or acknowledges: PagerDuty is told, under the key of the trigger', async () => {
    const { pagerduty, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk(env);
    const one = ledger.deposit(ada, '5000', { post: false });
    const other = ledger.deposit(ada, '6000', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    const idOf = (subject: string) => exceptions.find((exception) => exception.affected_entity === subject)!.id;
    await types(['exceptions', 'acknowledge', idOf(other.subject), '--by', 'Ada']);
    await types(['exceptions', 'resolve', idOf(one.subject), '--by', 'Ada', '--note', 'x']);
    const keyOf = (subject: string) => `recon/production/deposits/missing_in_ledger/${subject}`;
    expect(eventsOf(pagerduty).slice(2)).toEqual([
      `acknowledge ${keyOf(other.subject)}`,
      `resolve ${keyOf(one.subject)}`,
    ]);

    await runs(); // it is still wrong: it returns as a new exception, under the same key
    expect(eventsOf(pagerduty).slice(4)).toEqual([`trigger ${keyOf(one.subject)}`]);
  });

  test('three hundred at once: one message each, one event per check, which ends when the check is clear', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { types, sql } = await desk(env);
    await sql`
      insert into deposits (
        id, user_id, chain, tx_hash, token, amount, status, confirmed_at, alpaca_funded_at, created_at
      )
      select
        gen_random_uuid(), deposit.user_id, deposit.chain, 'tx ' || number, deposit.token, number, deposit.status,
        deposit.confirmed_at, deposit.alpaca_funded_at, deposit.created_at
      from deposits as deposit, generate_series(2000, 2299) as number`;
    expect((await types(['run'])).exitCode).toBe(2);
    expect([slack, webhook].map(({ received }) => received.length)).toEqual([1, 1]);
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/deposits']);
    const [message] = bodiesOf<WebhookBody>(webhook);
    expect(message!.data.exceptions.map((told) => told['difference'])).toEqual(
      Array.from({ length: 10 }, (_, index) => String(index - 2_299)),
    );
    expect(message!.data.totals).toMatchObject([{ count: 300, amount: '644850' }]);
    expect(webhook.received[0]!.body.length).toBeLessThan(20_000);
    expect(slack.received[0]!.body).toContain('and 290 more');

    await sql`delete from deposits where amount >= 2000`;
    expect((await types(['run', '--accept-fewer'])).exitCode).toBe(0);
    expect(eventsOf(pagerduty).slice(1)).toEqual(['resolve recon/production/deposits']);
  });

  test('a dozen that the first version found, by a check of its own: one event for them', async () => {
    const { pagerduty, env } = await targets();
    const { runs, types, sql } = await desk();
    const { report, checks } = await runs();
    await sql`
      insert into reconciliation_exceptions (
        report_id, check_id, check_type, kind, fingerprint, severity, description, last_report_id, last_seen_at, affected_entity
      )
      select
        ${report.id}, ${checks[0]!['id'] as string}, 'balance_check', 'unclassified', 'balance_check/unclassified/' || number, 'critical',
        'old ' || number, ${report.id}, now(), 'account:' || number
      from generate_series(1, 12) as number`;
    await runs([], { env });
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/balance_check']);
    const [event] = bodiesOf<PagerDutyEvent>(pagerduty);
    expect(event!.payload!.custom_details['next']).not.toContain('--check');
    const ids = await sql<{ id: string }[]>`select id from reconciliation_exceptions where kind = 'unclassified'`;
    const resolve = ['exceptions', 'resolve', ...ids.map(({ id }) => id), '--note', 'x', '--by', 'ada', '--yes'];
    expect(await types(resolve, { env })).toMatchObject({ exitCode: 0 });
    expect(eventsOf(pagerduty).slice(1)).toEqual(['resolve recon/production/balance_check']);
  });

  test('a check that could not tell, until it can; a run without a result; runs that did not come', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, types, sql } = await desk(env);
    /** The last message to each names this command, and it works. */
    const isNext = async (command: RegExp) => {
      const [told] = bodiesOf<WebhookBody>(webhook).slice(-1);
      const [event] = bodiesOf<PagerDutyEvent>(pagerduty).slice(-1);
      expect(told!.data.next).toEqual([expect.stringMatching(command)]);
      expect(event!.payload!.custom_details['next']).toBe(told!.data.next[0]);
      expect(slack.received.at(-1)!.body).toContain(`next: \`${told!.data.next[0]!}\``);
      expect((await types(told!.data.next[0]!.split(' ').slice(1))).exitCode).toBeLessThan(64);
    };
    await runs(['--type', 'hourly'], at(0));
    await sql`alter table deposits rename to elsewhere`;
    await runs(['--type', 'hourly'], at(1));
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/incomplete/deposits']);
    expect(bodiesOf<WebhookBody>(webhook)[0]!.data.incomplete_checks).toMatchObject([
      { check_type: 'deposits', reason: expect.stringContaining('deposits') as string },
    ]);
    const reason = bodiesOf<WebhookBody>(webhook)[0]!.data.incomplete_checks[0]!.reason;
    expect(slack.received[0]!.body).toContain(`deposits could not tell: ${reason.slice(0, 20)}`);
    expect(bodiesOf<PagerDutyEvent>(pagerduty)[0]!.payload!.summary).toBe(`deposits could not tell: ${reason}`);
    await isNext(/^recon reports show /);

    await sql`alter table elsewhere rename to deposits`;
    await runs(['--type', 'hourly'], at(2));
    expect(eventsOf(pagerduty).slice(1)).toEqual(['resolve recon/production/incomplete/deposits']);

    const { report } = await runs(['--type', 'hourly'], at(6));
    const slots = ['2026-03-01T15:00:00.000Z', '2026-03-01T16:00:00.000Z', '2026-03-01T17:00:00.000Z'];
    expect(report.metadata['missed']).toEqual([{ run_type: 'hourly', count: 3, slots }]);
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data.missed_runs).toEqual([{ run_type: 'hourly', count: 3, slots }]);
    expect(eventsOf(pagerduty).slice(2)).toEqual(['trigger recon/production/missed/hourly']);
    expect(slack.received.at(-1)!.body).toContain(`hourly: 3 runs expected at ${slots.join(', ')} did not come`);
    await isNext(/^recon status$/);
    await runs(['--type', 'hourly'], at(7));
    expect(eventsOf(pagerduty).slice(3)).toEqual(['resolve recon/production/missed/hourly']);

    await sql`
      create function refuse() returns trigger language plpgsql as 'begin raise exception $$it says no$$; end';
      create trigger refuse before insert on reconciliation_checks for each row execute function refuse()`.simple();
    expect((await types(['run', '--type', 'hourly'], at(8))).exitCode).toBe(1);
    expect(bodiesOf<WebhookBody>(webhook).at(-1)!.data.failure).toContain('it says no');
    expect(eventsOf(pagerduty).slice(4)).toEqual(['trigger recon/production/run/hourly']);
    await isNext(/^recon doctor$/);
    await sql`drop trigger refuse on reconciliation_checks`;
    await runs(['--type', 'hourly'], at(9));
    expect(eventsOf(pagerduty).slice(5)).toEqual(['resolve recon/production/run/hourly']);
  });
});

const at = (hour: number) => {
  const moment = new Date(cutAt.getTime() + hour * 3_600_000);
  return { now: moment, asOf: moment };
};

/** `2 new`, message by message. */
const changesTo = (webhook: Receiver) =>
  bodiesOf<WebhookBody>(webhook).map(({ data }) => data.totals.map(({ change, count }) => `${count} ${change}`));

describe('what becomes somebody’s matter again', { timeout: 60_000 }, () => {
  test('what a person reopens is told at once, to PagerDuty under the key that was over', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk(env);
    const { subject } = ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    const { report, exceptions } = await runs();
    const { id } = exceptions[0]!;
    await types(['exceptions', 'resolve', id, '--by', 'Ada', '--note', 'x']);
    await types(['exceptions', 'reopen', id, '--by', 'Ada', '--note', 'it was not']);
    const key = `recon/production/deposits/missing_in_ledger/${subject}`;
    expect(eventsOf(pagerduty)).toEqual([`trigger ${key}`, `resolve ${key}`, `trigger ${key}`]);
    expect(changesTo(webhook)).toEqual([['1 new'], ['1 reopened']]);
    expect(bodiesOf<WebhookBody>(webhook)[1]!.data).toMatchObject({
      report_id: null,
      run_type: null,
      exceptions: [{ id, report_id: report.id }],
    });
    expect(slack.received[1]!.body).toContain('recon production: by hand: 1 reopened');
    await runs(); // known by now
    expect([slack, pagerduty, webhook].map(({ received }) => received.length)).toEqual([2, 3, 2]);
  });

  test('what was accepted or snoozed is told when its time is over', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk({ ...env, RECONCILIATION_HOURLY_INTERVAL: '1440' });
    for (const amount of ['5000', '6000']) ledger.deposit(ada, amount, { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs([], at(0));
    for (const [index, action] of ['accept', 'snooze'].entries())
      await types(
        ['exceptions', action, exceptions[index]!.id, '--until', '2h', '--note', 'agreed', '--by', 'Ada'],
        at(0.1),
      );
    await runs([], at(1));
    expect(changesTo(webhook)).toEqual([['2 new']]);
    await runs([], at(3));
    expect(changesTo(webhook)).toEqual([['2 new'], ['2 reopened']]);
    expect(slack.received).toHaveLength(2);
    const acts = (index: number) =>
      eventsOf(pagerduty)
        .filter((event) => event.endsWith(exceptions[index]!.affected_entity))
        .map((event) => event.split(' ')[0]);
    expect([acts(0), acts(1)]).toEqual([
      ['trigger', 'resolve', 'trigger'],
      ['trigger', 'trigger'],
    ]);
  });
});

describe('a target that is new', { timeout: 60_000 }, () => {
  test('hears once what stands, but for what is accepted or snoozed; from then on what happens, whoever runs', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, types, sql, ledger, ada } = await desk();
    for (const amount of ['5000', '6000', '7000', '8000']) ledger.deposit(ada, amount, { post: false });
    ledger.deposit(ada, '100', { postedAmount: '99.5' }); // low
    const { id: small } = ledger.deposit(ada, '500', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    const idOf = (amount: string) => exceptions.find((exception) => exception['expected_value'] === amount)!.id;
    const until = ['--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    await types(['exceptions', 'accept', idOf('5000'), ...until]);
    await types(['exceptions', 'snooze', idOf('6000'), ...until]);
    ledger.deposit(ada, '9000', { post: false });
    await ledger.save(sql);
    await sql`update deposits set amount = 0.5 where id = ${small}`; // low by now
    await runs([], { env });
    expect(changesTo(webhook)).toEqual([['1 new', '2 standing']]);
    expect(slack.received[0]!.body).toContain('1 new, 2 standing');
    expect(eventsOf(pagerduty).map((event) => event.split(' ')[0])).toEqual(['trigger', 'trigger', 'trigger']);
    await runs([], { env });
    expect(webhook.received).toHaveLength(1);

    ledger.deposit(ada, '10000', { post: false });
    const { id: passing } = ledger.deposit(ada, '11000', { post: false });
    await ledger.save(sql);
    await runs(); // by somebody who has no targets
    await sql`delete from deposits where id = ${passing}`;
    await runs(); // it came and went meanwhile
    for (const action of ['resolve', 'reopen'])
      await types(['exceptions', action, idOf('7000'), '--note', 'x', '--by', 'Ada']);
    await sql`delete from deposits where id = ${small}`; // it never heard of that one
    await runs([], { env });
    expect(changesTo(webhook).slice(1)).toEqual([['1 new', '1 reopened']]);
    expect([slack, pagerduty, webhook].map(({ received }) => received.length)).toEqual([2, 5, 2]);
  });

  test('is not flooded by what stands', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk();
    for (let count = 0; count < 30; count += 1) ledger.deposit(ada, `${5000 + count}`, { post: false });
    await ledger.save(sql);
    await runs();
    await runs([], { env });
    expect(changesTo(webhook)).toEqual([['30 standing']]);
    expect(slack.received[0]!.body).toContain('and 20 more');
    expect(eventsOf(pagerduty)).toEqual(['trigger recon/production/deposits']);
  });
});

test('what two people do at once while a run ends is told once each, and nobody waits for ever', async () => {
  const { pagerduty, webhook, env } = await targets();
  const { runs, types, sql, ledger, ada } = await desk(env);
  for (const amount of ['5000', '6000', '7000', '8000']) ledger.deposit(ada, amount, { post: false });
  await ledger.save(sql);
  const { exceptions } = await runs();
  const [one, two, three] = exceptions.map(({ id }) => id) as [string, string, string];
  const resolve = (id: string, by: string) => types(['exceptions', 'resolve', id, '--by', by, '--note', 'x']);
  const both = await Promise.all([resolve(one, 'Ada'), resolve(two, 'Grace'), runs(), resolve(three, 'Joan')]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0, 2, 0]);
  await runs();
  const events = eventsOf(pagerduty);
  expect(events.filter((event) => event.startsWith('resolve'))).toHaveLength(3);
  for (const key of new Set(events.map((event) => event.split(' ')[1]!)))
    expect(events.filter((event) => event.endsWith(key)).map((event) => event.split(' ')[0])).toEqual(
      events.filter((event) => event.endsWith(key)).map((_, index) => (index % 2 === 0 ? 'trigger' : 'resolve')),
    );
  expect(await statesOf(sql)).toEqual({
    'pagerduty delivered': pagerduty.received.length,
    'webhook delivered': webhook.received.length,
    'slack delivered': webhook.received.length,
  });
});

test('what people did is written when nobody else changes exceptions, whatever isolation the database begins with', async () => {
  const { webhook, env } = await targets();
  const { runs, types, sql, ledger, ada } = await desk();
  const [here] = await sql<{ name: string }[]>`select current_database() as name`;
  await sql`alter database ${sql(here!.name)} set default_transaction_isolation = 'serializable'`;
  ledger.deposit(ada, '5000', { post: false });
  await ledger.save(sql);
  await runs();
  let retry: Promise<Outcome> | undefined;
  await sql.begin(async (other) => {
    await other`select pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    retry = types(['alerts', 'retry'], { env });
    await untilWaited(sql);
    await other`update reconciliation_exceptions set resolved_at = now(), resolved_by = 'Ada'`;
  });
  expect((await retry)?.exitCode).toBe(0);
  expect(webhook.received).toEqual([]); // it is over, so that nothing stands
});

test('a run that is declared dead while it stores stands in nobody’s way, nor its successor in its own', async () => {
  const { webhook, env } = await targets();
  const { runs, types, sql, ledger, ada } = await desk(env);
  ledger.deposit(ada, '5000', { post: false });
  await ledger.save(sql);
  const { report } = await runs();
  await sql`update reconciliation_reports set status = 'in_progress' where id = ${report.id}`;
  let next: Promise<Outcome> | undefined;
  await sql.begin(async (storing) => {
    await storing`select pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    next = types(['run']);
    await untilWaited(sql);
    await storing`update reconciliation_reports set status = 'completed' where id = ${report.id}`;
  });
  expect((await next)?.exitCode).toBe(2);
  expect(bodiesOf<WebhookBody>(webhook).map(({ data }) => data.failure)).toEqual([null]);
});
