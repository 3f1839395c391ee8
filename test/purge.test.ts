import { describe, expect, test } from 'vitest';
import { makeUpHistory } from './bench/history.ts';
import { testDatabase } from './support/database.ts';
import { cutAt } from './support/run-check.ts';
import { storedRows } from './support/stored-rows.ts';
import { operatorOf } from './support/world.ts';

const { url, sql } = await testDatabase();
const { types, runs } = operatorOf(url);

/** Long enough after the last run that nothing moves between two looks at it. */
const now = new Date(cutAt.getTime() + 3_600_000);

// 40 days of hourly runs, and one daily run that cleared what was left of them
const connection = await sql.reserve();
await makeUpHistory(connection, cutAt, 40);
connection.release();
await runs(['--type', 'daily', '--accept-fewer']);
await sql`
  update reconciliation_alerts
  set state = case when number % 2 = 0 then 'dead' else 'waiting' end, delivered_at = null
  where number <= 10`;

const purges = (...flags: string[]) => types(['purge', '--older-than', '31d', ...flags], { now });

/** What a purge says that it deleted, or would. */
async function deletes(...flags: string[]) {
  const { exitCode, stdout, stderr } = await purges('-o', 'json', ...flags);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as { before: string; deleted: Record<string, number> };
}

/** What people and machines see of the books. */
async function look() {
  const screens: string[] = [];
  for (const line of [
    'status -o json',
    'metrics print',
    'exceptions list --status all -o json',
    'reports list --type daily -L 100 -o json',
    'alerts list --state waiting --state dead -o json',
  ]) {
    const { exitCode, stdout } = await types(line.split(' '), { now });
    expect(exitCode, line).toBe(0);
    screens.push(stdout);
  }
  return screens;
}

describe('recon purge', () => {
  test('asks, and does nothing where nobody can be asked or screens still look', async () => {
    const before = await storedRows(sql);
    expect(await purges()).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('Add --yes.') as string });
    const typed = await types(['purge', '--older-than', '31d'], { now, typed: 'no\n' });
    expect(typed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Not confirmed') as string });
    for (const time of ['30d', cutAt.toISOString(), '9999-01-01'])
      expect(await types(['purge', '--older-than', time, '--yes'], { now })).toMatchObject({
        exitCode: 64,
        stderr: expect.stringContaining('too young') as string,
      });
    for (const [time, why] of [
      ['90', '"90" is not a time'],
      ['-5d', '"-5d" is not a time'],
      ['99999d', '"99999d" is too far away: at most 365d, or a date'],
    ] as const)
      expect((await types(['purge', '--older-than', time, '--yes'], { now })).stderr).toContain(
        `--older-than ${why}.\nGive 31d or more, or a date (UTC) such as 2026-01-31.\n`,
      );
    expect(await storedRows(sql)).toEqual(before);
  });

  test('deletes what nobody needs, stopped in between or not; screens, metrics and the next run are none the wiser', async () => {
    const before = { rows: await storedRows(sql), screens: await look() };
    const planned = await deletes('--dry-run');
    for (const rows of Object.values(planned.deleted)) expect(rows).toBeGreaterThan(50);
    expect(await storedRows(sql)).toEqual(before.rows);

    await sql.unsafe(`
      create function pull_the_plug() returns trigger language plpgsql as $$
      begin
        if (select count(*) from reconciliation_reports) < ${before.rows.reports - 80} then raise 'gone'; end if;
        return null;
      end $$;
      create trigger plug after delete on reconciliation_reports for each statement execute function pull_the_plug();`);
    expect((await purges('--yes')).exitCode).toBe(1);
    await sql`drop function pull_the_plug cascade`;
    const rest = await deletes('--yes');
    expect(rest.deleted['runs']).toBeLessThan(planned.deleted['runs']!);

    const { runs: gone = 0, checks = 0, sightings = 0, alerts = 0 } = planned.deleted;
    const { rows } = before;
    expect(await storedRows(sql)).toEqual({
      ...rows,
      reports: rows.reports - gone,
      checks: rows.checks - checks,
      findings: rows.findings - sightings,
      alerts: rows.alerts - alerts,
    });
    expect(await look()).toEqual(before.screens);
    expect(await deletes('--yes')).toMatchObject({ deleted: { runs: 0, checks: 0, sightings: 0, alerts: 0 } });
    const hourly = await runs(['--type', 'hourly'], { now, asOf: now });
    expect(hourly.checks.map(({ metadata }) => metadata['coverage'])).toEqual(Array(4).fill('changes'));
  });

  test('of an exception the first and the last sighting stay, and of a day its daily run with all that it saw', async () => {
    const { before } = await deletes('--yes');
    const [ends] = await sql`
      select
        sum(case when exception.report_id = exception.last_report_id then 1 else 2 end)::integer as all,
        (
          select count(*) from reconciliation_findings as finding
          inner join reconciliation_exceptions as seen on seen.id = finding.exception_id
          where finding.report_id in (seen.report_id, seen.last_report_id)
        )::integer as kept
      from reconciliation_exceptions as exception`;
    expect(ends!['kept']).toBe(ends!['all']);
    const old = await sql<{ id: string; run_type: string; exceptions_count: number; kept: number; purged: boolean }[]>`
      select report.id, report.run_type, report.exceptions_count, count(finding.report_id)::integer as kept,
        report.metadata ? 'purged_at' as purged
      from reconciliation_reports as report
      left join reconciliation_findings as finding on finding.report_id = report.id
      where report.started_at < ${before}
      group by report.id
      order by report.started_at`;
    expect(old.filter(({ run_type: type }) => type === 'daily')).toHaveLength(9);
    for (const { exceptions_count: seen, kept, ...report } of old) expect(kept < seen).toBe(report.purged);
    expect(old.filter(({ run_type: type, purged }) => type === 'daily' && purged)).toEqual([]);

    const { stdout } = await types(['reports', 'show', old.find(({ purged }) => purged)!.id], { now });
    expect(stdout).toMatch(/^purged \d{4}-.*: only what was seen first or last in this run is left of its findings$/m);
    expect(stdout).not.toContain(' more: ');
  });

  test('what says that a dead alert is overtaken stays with it: nobody revives a beginning without its end', async () => {
    const kept = await sql`
      insert into reconciliation_alerts (target, summary, body, state, created_at, delivered_at)
      values
        ('pagerduty', 'trigger', '{"dedup_key": "one"}', 'dead', '2025-01-01', null),
        ('pagerduty', 'resolve', '{"dedup_key": "one"}', 'delivered', '2025-01-02', '2025-01-02'),
        ('pagerduty', 'resolve', '{"dedup_key": "other"}', 'delivered', '2025-01-02', '2025-01-02')
      returning id`;
    expect(await deletes('--yes')).toMatchObject({ deleted: { alerts: 1 } });
    const ids = kept.map(({ id }) => id as string);
    expect(await sql`select id from reconciliation_alerts where id = any (${ids}) order by number`).toEqual(
      kept.slice(0, 2),
    );
  });
});
