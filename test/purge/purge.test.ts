import { describe, expect, test } from 'vitest';
import type { PurgeRecord } from '../../src/purge/log.ts';
import { makeUpHistory } from '../bench/history.ts';
import { testDatabase } from '../support/database.ts';
import { cutAt } from '../support/run-check.ts';
import { storedRows } from '../support/stored-rows.ts';
import { operatorOf } from '../support/world.ts';

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

// of the old hourly runs in which nothing began or ended, some that are named all the same, or that proved nothing
const quiet = await sql<{ id: string }[]>`
  select report.id
  from reconciliation_reports as report
  where
    report.run_type = 'hourly'
    and report.started_at between ${cutAt}::timestamptz - interval '40 days' and ${cutAt}::timestamptz - interval '32 days'
    and report.id not in (
      select unnest(array[exception.report_id, exception.last_report_id]) from reconciliation_exceptions as exception
    )
  order by report.started_at
  limit 5`;
const [logged, told, ...unproven] = quiet.map(({ id }) => id) as [string, string, ...string[]];
await sql`
  insert into reconciliation_exception_events (exception_id, event, actor, details)
  select exception.id, 'eased', 'system', jsonb_build_object('report_id', ${logged}::text)
  from reconciliation_exceptions as exception
  limit 1`;
await sql`
  insert into reconciliation_alerts (report_id, target, summary, body, state, created_at, delivered_at)
  values (${told}, 'slack', '1 cleared exception', '{"text": "It is over."}', 'delivered', '2025-01-01', '2025-01-01')`;
await sql`
  update reconciliation_reports
  set status = 'failed', metadata = metadata || '{"verdict": "incomplete"}'
  where id = any (${unproven})`;

const purges = (...flags: string[]) => types(['purge', '--older-than', '31d', ...flags], { now });

/** What a purge says that it deleted, or would. */
async function deletes(...flags: string[]) {
  const { exitCode, stdout, stderr } = await purges('-o', 'json', ...flags);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as { before: string; deleted: Record<string, number> };
}

/** How many runs there are of each day (UTC). */
async function runsOfDays(): Promise<Map<string, number>> {
  const rows = await sql<{ day: string; runs: number }[]>`
    select (started_at at time zone 'UTC')::date::text as day, count(*)::integer as runs
    from reconciliation_reports
    group by day`;
  return new Map(rows.map(({ day, runs }) => [day, runs]));
}

/** What the log says of all purges so far. */
async function log(): Promise<PurgeRecord[]> {
  const { stdout } = await types(['purge', '--log', '-o', 'json'], { now });
  return (JSON.parse(stdout) as { purges: PurgeRecord[] }).purges;
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
    'alerts list -L 1000',
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
    const before = { rows: await storedRows(sql), screens: await look(), days: await runsOfDays() };
    const planned = await deletes('--dry-run');
    for (const rows of Object.values(planned.deleted)) expect(rows).toBeGreaterThan(50);
    expect(await storedRows(sql)).toEqual(before.rows);

    await sql.unsafe(`
      create table open_beside as select xact_start from pg_stat_activity limit 0;
      create function pull_the_plug() returns trigger language plpgsql as $$
      begin
        insert into open_beside
        select xact_start from pg_stat_activity
        where
          datname = current_database() and application_name = 'recon' and pid <> pg_backend_pid()
          and xact_start is not null;
        if (select count(*) from reconciliation_reports) < ${before.rows.reports - planned.deleted['runs']! / 2} then raise 'gone'; end if;
        return null;
      end $$;
      create trigger plug after delete on reconciliation_reports for each statement execute function pull_the_plug();`);
    expect((await purges('--yes', '--by', 'Grace', '--note', 'ticket 812')).exitCode).toBe(1);
    // verified_through waits for whoever has been writing for a while
    expect(await sql`select from open_beside`).toEqual([]);
    await sql.unsafe('drop function pull_the_plug cascade; drop table open_beside');
    const rest = await deletes('--yes');
    expect(rest.deleted['runs']).toBeLessThan(planned.deleted['runs']!);

    const { runs: gone = 0, checks = 0, sightings = 0, alert_bodies: bodies } = planned.deleted;
    const { rows, days } = before;
    expect(await storedRows(sql)).toEqual({
      ...rows,
      reports: rows.reports - gone,
      checks: rows.checks - checks,
      findings: rows.findings - sightings,
    });
    expect(await look()).toEqual(before.screens);
    expect(
      await sql`
        select id from reconciliation_reports where id = any (${quiet.map(({ id }) => id)}) order by started_at`,
    ).toEqual([...quiet]);

    const [second, first, ...others] = await log();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ purged_by: 'Grace', note: 'ticket 812' });
    expect(new Date(first!.purged_before)).toEqual(new Date(rest.before));
    expect(second).toMatchObject({ purged_by: 'ada', note: null });
    const removed = [...first!.removed, ...second!.removed];
    const all = (what: 'checks' | 'sightings' | 'alert_bodies') => removed.reduce((sum, step) => sum + step[what], 0);
    expect([all('checks'), all('sightings'), all('alert_bodies')]).toEqual([checks, sightings, bodies]);
    const left = await runsOfDays();
    for (const { day, runs } of removed)
      if (day !== null) left.set(day, left.get(day)! + Object.values(runs['hourly'] ?? {}).reduce((a, b) => a + b, 0));
    expect(left).toEqual(days); // no hour of a day is missing that the log does not account for
    const [, line] = (await types(['purge', '--log'], { now })).stdout.split('\n');
    expect(line).toMatch(new RegExp(` ada on \\S+ .* \\d+ hourly failed +\\d+ `));
    const none = { checks: 0, sightings: 0, alert_bodies: 0 };
    expect(await deletes('--yes', '--by', 'Linus')).toMatchObject({ deleted: { runs: 0, ...none } });
    // that it ran and found nothing is on record as well
    expect(await log()).toMatchObject([
      { purged_by: 'Linus', removed: [{ day: null, runs: {}, ...none }] },
      second!,
      first!,
    ]);
    const [, nothing] = (await types(['purge', '--log'], { now })).stdout.split('\n');
    expect(nothing).toMatch(/ Linus on .* none +0 +0 +0$/);
    const hourly = await runs(['--type', 'hourly'], { now, asOf: now });
    expect(hourly.checks.map(({ metadata }) => metadata['coverage'])).toEqual(Array(4).fill('changes'));
  });

  test('what it did stays on record, and whoever does not say who does it, does nothing', async () => {
    for (const change of [
      sql`update reconciliation_purges set purged_by = 'nobody'`,
      sql`delete from reconciliation_purges`,
      sql`truncate reconciliation_purges`,
    ])
      await expect(change).rejects.toThrow('reconciliation_purges is append-only');
    const before = await log();
    for (const [flags, why] of [
      [['--yes', '--by', 'system'], '--by cannot be system'],
      [['--yes', '--note', ' '], 'The note is empty.'],
      [['--log'], "option '--log' cannot be used with option '--older-than <time>'"],
    ] as const)
      expect(await purges(...flags)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining(why) as string });
    expect(await log()).toEqual(before);
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
    expect(await deletes('--yes')).toMatchObject({ deleted: { alert_bodies: 1 } });
    const ids = kept.map(({ id }) => id as string);
    expect(
      await sql`select id from reconciliation_alerts where id = any (${ids}) and body <> '{}' order by number`,
    ).toEqual(kept.slice(0, 2));
  });
});
