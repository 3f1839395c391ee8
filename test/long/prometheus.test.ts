import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { testWith } from '../support/installed.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startMonitoring, type Monitoring } from '../support/prometheus.ts';
import { operatorOf } from '../support/world.ts';

const read = (path: string) => readFile(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

/** Ten minutes become three seconds, an hour six; whoever waits minutes waits one second. */
const shortened = (rules: string) =>
  rules
    .replaceAll('[10m]', '[3s]')
    .replaceAll('[1h]', '[6s]')
    .replaceAll(/for: \d+[mh]/g, 'for: 1s');

/** Waits until exactly these alerts fire, of those that are looked at. */
async function untilFiring({ firing }: Monitoring, expected: string[], of: RegExp, seconds = 12): Promise<void> {
  const seen = async () => (await firing()).filter((alert) => of.test(alert));
  const deadline = Date.now() + seconds * 1000;
  while (JSON.stringify(await seen()) !== JSON.stringify(expected) && Date.now() < deadline) await sleep(100);
  expect(await seen()).toEqual(expected);
}

/** None of these fires, at any moment of the next seconds. */
async function staysSilent({ firing }: Monitoring, alert: RegExp, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    expect((await firing()).filter((name) => alert.test(name))).toEqual([]);
    await sleep(100);
  }
}

const runs = /^Recon(RunFailed|LastRunFailed)/;

testWith(['prometheus', 'prometheus-pushgateway'])(
  'on a real Prometheus behind a real Pushgateway each rule fires when it should, and no other',
  async () => {
    const monitoring = await startMonitoring(shortened(await read('prometheus/recon.rules.yml')));
    const { url, sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: new Date() });
    const ada = ledger.user();
    ledger.deposit(ada, '20');
    await ledger.save(sql);
    const { types } = operatorOf(url, {
      RECONCILIATION_CHECKS: 'ledger_consistency,deposits',
      RECONCILIATION_ENVIRONMENT: 'live/test',
      PUSHGATEWAY_URL: monitoring.pushgatewayUrl,
    });
    const now = () => ({ now: new Date(), asOf: null });
    const run = async (type: string) => (await types(['run', '--type', type], now())).exitCode;
    const unreadable = (how: 'break' | 'mend') =>
      how === 'break' ? sql`alter table deposits rename to elsewhere` : sql`alter table elsewhere rename to deposits`;

    await untilFiring(monitoring, ['ReconMetricsAbsent'], /./);
    await types(['migrate'], now());
    await untilFiring(monitoring, [], /./);
    await sleep(600); // the zeros have been scraped

    await unreadable('break');
    expect(await run('hourly'), 'the first failure ever').toBe(78);
    await untilFiring(monitoring, ['ReconChecksFailing', 'ReconLastRunFailed hourly', 'ReconRunFailed hourly'], /./);
    await untilFiring(monitoring, ['ReconLastRunFailed hourly'], runs); // the event is over, the state is not

    await unreadable('mend');
    expect(await run('daily'), 'beside the hourly run').toBe(0);
    await staysSilent(monitoring, /^ReconRunFailed|daily/, 1);
    await untilFiring(monitoring, ['ReconLastRunFailed hourly'], runs);

    await unreadable('break');
    expect(await run('hourly'), 'the second failure in a row').toBe(78);
    await untilFiring(monitoring, ['ReconLastRunFailed hourly', 'ReconRunFailed hourly'], runs);
    await unreadable('mend');

    await monitoring.restartPushgateway();
    await untilFiring(monitoring, ['ReconMetricsAbsent'], /^Recon(MetricsAbsent|LastRunFailed)/);
    expect(await run('hourly'), 'after the Pushgateway has lost everything').toBe(0);
    await untilFiring(monitoring, [], /^Recon(MetricsAbsent|LastRunFailed|RunFailed|Check)/);

    await sql`delete from reconciliation_watermarks`;
    await sql`delete from reconciliation_checks`;
    await sql`delete from reconciliation_reports`;
    expect(await run('hourly'), 'after a purge of old runs').toBe(0);
    await staysSilent(monitoring, /^Recon(RunFailed|Checks)/, 2);

    ledger.deposit(ada, '5000', { post: false, minutesAgo: 30 });
    await ledger.save(sql);
    expect(await run('daily'), 'something critical').toBe(2);
    await untilFiring(monitoring, ['ReconChecksFailing', 'ReconCriticalExceptions'], /^Recon(Ch|Cr|R)/);
    const { panels } = JSON.parse(await read('grafana/recon-overview.json')) as {
      panels: { title: string; targets?: { expr: string }[] }[];
    };
    for (const { title, targets = [] } of panels)
      for (const { expr } of targets)
        expect(
          await monitoring.count(expr.replaceAll('$environment', 'live/test')),
          `${title}: ${expr}`,
        ).toBeGreaterThan(0);
    await untilFiring(monitoring, ['ReconCriticalExceptions'], /^Recon(Ch|Cr|R)/); // a clock hour without a run

    await sql`delete from deposits where amount = 5000`;
    expect(await run('daily'), 'mended').toBe(0);
    await untilFiring(monitoring, [], /^ReconCritical/);

    for (const counter of ['runs_total', 'checks_total', 'exceptions_total', 'run_duration_seconds_bucket']) {
      expect(await monitoring.count(`resets(reconciliation_${counter}[5m]) == 0`), counter).toBeGreaterThan(5);
      expect(await monitoring.count(`resets(reconciliation_${counter}[5m]) > 0`), `${counter} never fell`).toBe(0);
    }

    await sql`update reconciliation_reports set started_at = started_at - interval '40 hours'`;
    await sql`update reconciliation_migrations set applied_at = applied_at - interval '40 hours'`;
    await types(['metrics', 'push'], now());
    await untilFiring(monitoring, ['ReconRunOverdue daily', 'ReconRunOverdue hourly'], /^ReconRunOverdue/);
    await types(['run', '--type', 'hourly'], { ...now(), env: { RECONCILIATION_ENABLED: 'false' } });
    await untilFiring(monitoring, ['ReconSwitchedOff'], /^Recon(RunOverdue|SwitchedOff)/);
  },
  120_000,
);
