import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { startReceiver } from '../support/receiver.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, type Operator } from '../support/world.ts';

const few = { RECONCILIATION_CHECKS: 'deposits,withdrawals' };

/** Hours after the first run. */
const at = (hour: number) => {
  const moment = new Date(cutAt.getTime() + hour * 3_600_000);
  return { now: moment, asOf: moment };
};

async function due({ types }: Operator, hour: number): Promise<Record<string, number>> {
  const { stdout } = await types(['metrics', 'print'], at(hour));
  const lines = stdout.matchAll(/^reconciliation_success_due_timestamp_seconds\{run_type="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, type, time]) => [type!, (Number(time) - cutAt.getTime() / 1000) / 60]));
}

test('each expected time that went by is named once, by the first run after its deadline', async () => {
  const { url } = await testDatabase();
  const operator = operatorOf(url, few);
  const missedBy = async (type: string, hour: number) =>
    (await operator.runs(['--type', type], at(hour))).report.metadata['missed'];
  expect(await missedBy('hourly', 0)).toBeUndefined();
  expect(await missedBy('hourly', 1.2)).toBeUndefined();
  expect(await missedBy('manual', 3)).toEqual([{ run_type: 'hourly', count: 1, slots: ['2026-03-01T14:12:00.000Z'] }]);
  expect(await missedBy('hourly', 3.1)).toBeUndefined();
  expect(await missedBy('hourly', 15)).toEqual([
    expect.objectContaining({ run_type: 'hourly', count: 11 }) as object,
    { run_type: 'daily', count: 1, slots: ['2026-03-02T02:00:00.000Z'] }, // 12 hours after noon
  ]);
  expect(await missedBy('hourly', 16)).toBeUndefined();
  expect(await missedBy('daily', 17)).toBeUndefined();
  await operator.runs(['--type', 'hourly', '--check', 'deposits'], at(18)); // a part of it is not what was expected
  expect(await missedBy('hourly', 18.6)).toEqual([
    { run_type: 'hourly', count: 1, slots: ['2026-03-02T06:00:00.000Z'] },
  ]);
});

test('a log line names them', async () => {
  const { url } = await testDatabase();
  const { types } = operatorOf(url, { ...few, LOG_LEVEL: 'warn' });
  await types(['run', '--type', 'hourly'], at(0));
  const { stderr } = await types(['run', '--type', 'hourly'], at(4));
  expect(JSON.parse(stderr.split('\n')[0]!)).toMatchObject({
    event: 'runs.missed',
    message: '3 hourly runs were missed, the last at 2026-03-01T15:00:00.000Z',
  });
});

test('what must have succeeded by when: after the last success, from the day on that the tables were made', async () => {
  const { url, sql } = await testDatabase();
  const operator = operatorOf(url, few);
  await sql`update reconciliation_migrations set applied_at = ${cutAt}`;
  // an hour and its patience of 30 minutes, ten minutes to run; the daily one has 14 hours to 02:00, and 30 + 60 minutes
  expect(await due(operator, 0)).toEqual({ hourly: 60 + 30 + 10, daily: 14 * 60 + 30 + 60 });
  await operator.runs(['--type', 'hourly'], at(1));
  expect(await due(operator, 1)).toEqual({ hourly: 120 + 30 + 10, daily: 14 * 60 + 30 + 60 });
  await operator.runs(['--type', 'hourly', '--check', 'deposits'], at(2)); // a part of the checks is no success
  await sql`alter table deposits rename to elsewhere`;
  await operator.runs(['--type', 'hourly'], at(3)); // nor is a run that proves nothing
  expect((await due(operator, 3))['hourly']).toBe(120 + 30 + 10);
});

test('switched off, nothing is missed, and it shows', async () => {
  const gateway = await startReceiver();
  const { url } = await testDatabase();
  const operator = operatorOf(url, { ...few, PUSHGATEWAY_URL: gateway.url });
  await operator.runs(['--type', 'hourly'], at(0));
  const env = { RECONCILIATION_ENABLED: 'false' };
  for (const hour of [1, 2, 3])
    expect((await operator.types(['run', '--type', 'hourly'], { ...at(hour), env })).exitCode).toBe(0);
  expect(gateway.received.at(-1)!.body).toContain('reconciliation_enabled 0\n');
  const { report } = await operator.runs(['--type', 'hourly'], at(4));
  expect(report.metadata['missed']).toBeUndefined();
  expect(gateway.received.at(-1)!.body).toContain('reconciliation_enabled 1\n');
  expect((await operator.types(['status'], at(5.2))).stdout).toMatch(/^hourly .* passed +12 min ago +0$/m);
  expect((await operator.types(['status'], at(5.6))).stdout).toMatch(/^hourly .* OVERDUE, expected 36 min ago +1$/m);

  const nowhere = { ...env, DATABASE_URL: 'postgres://recon:canary-password@127.0.0.1:1/app' };
  const { exitCode, stderr } = await operator.types(['run', '--type', 'hourly'], { env: nowhere });
  expect(exitCode).toBe(0);
  expect(stderr).toContain('cannot be reached');
  expect(stderr).not.toContain('canary');
});
