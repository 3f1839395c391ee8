import { spawnSync } from 'node:child_process';
import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { checkNames } from '../../src/checks/names.ts';
import { testDatabase } from '../support/database.ts';
import { testWith } from '../support/installed.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startReceiver } from '../support/receiver.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, testWorld, reconIn, type Operator } from '../support/world.ts';

async function desk(env: Record<string, string> = {}) {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 6 });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  return { ...operatorOf(url, { RECONCILIATION_CHECKS: 'deposits,withdrawals', ...env }), url, sql, ledger, ada };
}

/** The series of an exposition, `name{labels}` to value. */
function seriesOf(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
}

async function printed({ types }: Operator): Promise<Map<string, string>> {
  const { exitCode, stdout, stderr } = await types(['metrics', 'print']);
  expect([exitCode, stderr]).toEqual([0, '']);
  return seriesOf(stdout);
}

describe('before the first run', () => {
  test('every combination stands at zero, and what has no value yet is left out', async () => {
    const series = await printed(await desk());
    expect(series.get('reconciliation_runs_total{run_type="hourly",status="failed"}')).toBe('0');
    expect([...series.keys()].filter((name) => name.startsWith('reconciliation_runs_total'))).toHaveLength(6);
    for (const check of checkNames) {
      expect(series.get(`reconciliation_checks_incomplete_total{check_type="${check}"}`)).toBe('0');
      expect(series.get(`reconciliation_exceptions_total{check_type="${check}",severity="critical"}`)).toBe('0');
      expect(series.get(`reconciliation_check_duration_seconds_bucket{check_type="${check}",le="+Inf"}`)).toBe('0');
    }
    expect(series.get('reconciliation_exceptions_unresolved{severity="critical"}')).toBe('0');
    expect(series.get('reconciliation_discrepancy_amount{check_type="deposits",currency="USDC"}')).toBe('0');
    expect(series.get('reconciliation_enabled')).toBe('1');
    expect([...series.keys()].filter((name) => name.startsWith('reconciliation_last_'))).toEqual([]);
  });

  testWith(['promtool'])('promtool check metrics has no complaint', async () => {
    const own = await desk();
    await own.runs(['--type', 'daily']);
    const { stdout } = await own.types(['metrics', 'print']);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: stdout, encoding: 'utf8' });
    expect([checked.status, checked.stdout, checked.stderr]).toEqual([0, '', '']);
    const broken = spawnSync('promtool', ['check', 'metrics'], { input: '# TYPE runs counter\nruns 1\n' });
    expect(broken.status).not.toBe(0);
  });
});

describe('what runs leave', () => {
  test('counts what ended and what was found; unresolved and discrepancy follow the exceptions', async () => {
    const own = await desk();
    await own.runs(['--type', 'daily']);
    own.ledger.deposit(own.ada, '5000', { post: false });
    own.ledger.deposit(own.ada, '100', { postedAmount: '99.5' });
    await own.ledger.save(own.sql);
    const { exceptions } = await own.runs(['--type', 'daily']);
    await own.runs(['--type', 'hourly']);

    const series = await printed(own);
    const values = (names: string[]) => Object.fromEntries(names.map((name) => [name, series.get(name)]));
    const expected = {
      'reconciliation_runs_total{run_type="daily",status="completed"}': '2',
      'reconciliation_runs_total{run_type="hourly",status="completed"}': '1',
      'reconciliation_runs_total{run_type="hourly",status="failed"}': '0',
      'reconciliation_run_duration_seconds_count{run_type="daily"}': '2',
      'reconciliation_run_duration_seconds_bucket{run_type="daily",le="1"}': '2',
      'reconciliation_checks_total{check_type="deposits"}': '3',
      'reconciliation_checks_passed_total{check_type="deposits"}': '1',
      'reconciliation_checks_failed_total{check_type="deposits"}': '2',
      'reconciliation_checks_incomplete_total{check_type="deposits"}': '0',
      'reconciliation_checks_passed_total{check_type="withdrawals"}': '3',
      'reconciliation_exceptions_total{check_type="deposits",severity="critical"}': '1',
      'reconciliation_exceptions_total{check_type="deposits",severity="low"}': '1',
      'reconciliation_exceptions_unresolved{severity="critical"}': '1',
      'reconciliation_discrepancy_amount{check_type="deposits",currency="USDC"}': '5000.500000000000000000',
      'reconciliation_last_run_success{run_type="hourly"}': '1',
    };
    expect(values(Object.keys(expected))).toMatchObject(
      Object.fromEntries(
        Object.entries(expected).map(([name, value]) => [
          name,
          name.includes('amount') ? expect.stringMatching(/^5000\.50*$/) : value,
        ]),
      ),
    );

    const critical = exceptions.find(({ severity }) => severity === 'critical')!;
    await own.types(['exceptions', 'resolve', critical.id, '--by', 'Ada', '--note', 'posted by hand']);
    const after = await printed(own);
    expect(after.get('reconciliation_exceptions_unresolved{severity="critical"}')).toBe('0');
    expect(after.get('reconciliation_exceptions_total{check_type="deposits",severity="critical"}')).toBe('1');
    expect(after.get('reconciliation_discrepancy_amount{check_type="deposits",currency="USDC"}')).toMatch(/^0\.50*$/);
  });

  test('a run that proves nothing, one that broke off and one that died are failures', async () => {
    const own = await desk();
    await own.runs(['--type', 'hourly']);
    await own.sql`alter table deposits rename to elsewhere`;
    await own.runs(['--type', 'hourly']);
    await own.sql`
      insert into reconciliation_reports (run_type, status, started_at) values ('daily', 'in_progress', ${cutAt})`;
    await own.sql`alter table elsewhere rename to deposits`;
    await own.sql`
      create function refuse() returns trigger language plpgsql as 'begin raise exception $$no$$; end';
      create trigger refuse before insert on reconciliation_checks for each row execute function refuse()`.simple();
    expect((await own.types(['run', '--type', 'hourly'])).exitCode).toBe(1);

    const series = await printed(own);
    expect(series.get('reconciliation_runs_total{run_type="hourly",status="completed"}')).toBe('1');
    expect(series.get('reconciliation_runs_total{run_type="hourly",status="failed"}')).toBe('2');
    expect(series.get('reconciliation_runs_total{run_type="daily",status="failed"}')).toBe('1');
    expect(series.get('reconciliation_run_duration_seconds_count{run_type="daily"}')).toBe('0');
    expect(series.get('reconciliation_checks_incomplete_total{check_type="deposits"}')).toBe('1');
    expect(series.get('reconciliation_last_run_success{run_type="hourly"}')).toBe('0');
    const success = series.get('reconciliation_last_success_timestamp_seconds{run_type="hourly"}');
    expect(success).toMatch(/^\d+/);

    await own.sql`drop trigger refuse on reconciliation_checks`;
    await own.runs(['--type', 'hourly', '--check', 'deposits']); // a part of a run makes nothing good
    const after = await printed(own);
    expect(after.get('reconciliation_last_run_success{run_type="hourly"}')).toBe('0');
    expect(after.get('reconciliation_last_success_timestamp_seconds{run_type="hourly"}')).toBe(success);
    expect(after.get('reconciliation_last_run_timestamp_seconds{run_type="hourly"}')).toBe(
      series.get('reconciliation_last_run_timestamp_seconds{run_type="hourly"}'),
    );
  });

  test('totals never fall: not when old runs are purged, not by hand', async () => {
    const own = await desk();
    await own.runs();
    await own.runs();
    const before = await printed(own);
    await forgetAllBut(own.sql, 1);
    const after = await printed(own);
    for (const [name, value] of before)
      if (/_(total|bucket|count|sum)\b/.test(name)) expect([name, after.get(name)]).toEqual([name, value]);
    await expect(own.sql`update reconciliation_totals set total = total - 1 where total > 0`).rejects.toThrow(
      /only grows/,
    );
    await expect(own.sql`delete from reconciliation_totals`).rejects.toThrow(/append-only/);
  });
});

/** What a purge does to old reports. */
async function forgetAllBut(sql: postgres.Sql, kept: number): Promise<void> {
  await sql`delete from reconciliation_watermarks`;
  const old = sql`(select id from reconciliation_reports order by started_at desc offset ${kept})`;
  await sql`delete from reconciliation_checks where report_id in ${old}`;
  await sql`delete from reconciliation_reports where id in ${old}`;
}

describe('the Pushgateway', () => {
  test('gets everything, at the beginning and at the end of a run, by PUT to one group', async () => {
    const gateway = await startReceiver();
    const own = await desk({ PUSHGATEWAY_URL: `${gateway.url}/behind/`, RECONCILIATION_ENVIRONMENT: 'a/b ü' });
    expect((await own.runs()).exitCode).toBe(0);
    const group = `environment@base64/${Buffer.from('a/b ü').toString('base64url')}`;
    expect(gateway.log).toEqual([1, 2].map(() => `PUT /behind/metrics/job/recon/${group}`));
    const [begun, ended] = gateway.received.map(({ body }) => seriesOf(body));
    expect(begun!.get('reconciliation_runs_total{run_type="manual",status="completed"}')).toBe('0');
    expect(ended!.get('reconciliation_runs_total{run_type="manual",status="completed"}')).toBe('1');
    expect([...ended!.keys()]).toEqual(expect.arrayContaining([...begun!.keys()]));
    expect(gateway.received[1]!.body.endsWith('\n')).toBe(true);
  });

  test.each([
    [
      'refuses',
      { status: 400, body: `pushed metrics are \u001b[2J invalid${' '.repeat(155)}canary-100%-password` },
      /answered 400 pushed metrics are \\u001b/,
    ],
    ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /answered 302/],
  ])('that %s changes nothing about the run, and is told', async (_, answer, reason) => {
    const gateway = await startReceiver(answer);
    const own = await desk({ PUSHGATEWAY_URL: gateway.url.replace('http://', 'http://recon:canary-100%-password@') });
    const { exitCode, stderr } = await own.types(['run'], { env: { LOG_LEVEL: 'info' } });
    expect(exitCode).toBe(0);
    const warning = stderr.split('\n').find((line) => line.includes('metrics.not_pushed'))!;
    expect((JSON.parse(warning) as { message: string }).message).toMatch(reason);
    expect(stderr).not.toContain('canary');
    expect(gateway.received[0]!.headers['authorization']).toBe(
      `Basic ${Buffer.from('recon:canary-100%-password').toString('base64')}`,
    );
    const push = await own.types(['metrics', 'push']);
    expect(push.exitCode).toBe(3);
    expect(push.stderr).toMatch(reason);
  });

  test('is pushed to by migrate, so that the first failure is an increase', async () => {
    const gateway = await startReceiver();
    const own = await desk({ PUSHGATEWAY_URL: gateway.url });
    expect((await own.types(['migrate'])).exitCode).toBe(0);
    expect(gateway.received[0]!.body).toContain('reconciliation_runs_total{run_type="hourly",status="failed"} 0\n');
    const unreachable = await own.types(['migrate'], { env: { PUSHGATEWAY_URL: 'http://127.0.0.1:1' } });
    expect(unreachable.exitCode).toBe(0);
    expect(unreachable.stderr).toContain('the tables are there; The Pushgateway at 127.0.0.1:1 could not be reached');
  });

  test('is pushed to by one at a time: a snapshot is never older than the one before', async () => {
    const gateway = await startReceiver();
    const own = await desk({ PUSHGATEWAY_URL: gateway.url });
    const world = () => testWorld({ env: { DATABASE_URL: own.url, PUSHGATEWAY_URL: gateway.url } });
    const adding = async () => {
      for (let count = 0; count < 10; count += 1)
        await own.sql`
          insert into reconciliation_totals as stored values (
            'reconciliation_runs_total', '{"run_type": "manual", "status": "failed"}', 1
          ) on conflict (metric, labels) do update set total = stored.total + 1`;
    };
    await Promise.all([adding(), ...[1, 2, 3, 4].map(() => reconIn(world(), ['metrics', 'push']))]);
    const pushed = gateway.received.map(({ body }) =>
      Number(seriesOf(body).get('reconciliation_runs_total{run_type="manual",status="failed"}')),
    );
    expect(pushed).toHaveLength(4);
    expect(pushed).toEqual(pushed.toSorted((left, right) => left - right));
  });
});
