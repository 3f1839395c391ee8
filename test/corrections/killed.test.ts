import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { operatorOf, withoutCustodians } from '../support/world.ts';

const binary = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

/** Where a correction is held up, by a trigger that waits for a lock which the test has. */
const steps = {
  'before it writes': 'before update on ledger_accounts for each row',
  'when it has written': 'after update on ledger_accounts for each row',
  'at its record': 'after insert on reconciliation_corrections for each row',
  'at its log': "after insert on reconciliation_exception_events for each row when (new.event = 'corrected')",
  'at the end of its exception': 'after update on reconciliation_exceptions for each row when (new.auto_corrected)',
  'at its commit': 'after insert on reconciliation_corrections deferrable initially deferred for each row',
  'after it': "before update on reconciliation_reports for each row when (new.metadata -> 'corrections' ? 'tried')",
};

test('kill -9 at every step leaves all of a correction or none, and the next run goes on from there', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date() });
  const accounts = [ledger.user(), ledger.user()].map((user) => {
    ledger.deposit(user, '20');
    return ledger.account(user, 'usdc_balance').id;
  });
  await ledger.save(sql);
  await sql`
    create function wait_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(4711); return new; end $$`;
  const whole: Record<string, boolean> = {};
  for (const [step, event] of Object.entries(steps)) {
    const [id] = Object.values(whole).some(Boolean) ? accounts.slice(1) : accounts;
    await sql`update ledger_accounts set balance = 20.25 where id = ${id!}`;
    const kind = event.includes('deferred') ? 'create constraint trigger' : 'create trigger';
    await sql.unsafe(`${kind} here ${event} execute function wait_here()`);
    await killWhereItWaits(url, sql, step);
    await sql.unsafe(`drop trigger here on ${/ on (\w+)/.exec(event)![1]!}`);
    whole[step] = await isWhole(sql, id!, step);
  }
  expect(whole).toEqual({
    'before it writes': false,
    'when it has written': false,
    'at its record': false,
    'at its log': false,
    'at the end of its exception': false,
    'at its commit': true,
    'after it': true,
  });
  const [total] = await sql<{ total: string }[]>`
    select total from reconciliation_totals where metric = 'reconciliation_exceptions_auto_corrected_total'`;
  expect(total).toEqual({ total: '2' });
  const { runs } = operatorOf(url, env);
  const last = await runs([], { now: new Date(), asOf: null });
  expect([last.exitCode, last.report.metadata['corrections']]).toEqual([0, expect.objectContaining({ tried: 0 })]);
});

const env = { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' };

/** Starts a run, and kills it when its correction waits at the trigger; returns when the server has let go of it. */
async function killWhereItWaits(url: string, sql: Sql, step: string): Promise<void> {
  await sql.begin(async (holder) => {
    await holder`select pg_advisory_xact_lock(4711)`;
    const recon = spawn(process.execPath, [binary, 'run'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: url,
        RECONCILIATION_CHECKS: withoutCustodians,
        LOG_LEVEL: 'silent',
        ...env,
      },
      stdio: 'ignore',
    });
    await until(async () => (await waiting(sql)) > 0 || recon.exitCode !== null);
    recon.kill('SIGKILL');
    expect(await once(recon, 'exit'), step).toEqual([null, 'SIGKILL']);
  });
  await until(async () => (await sessions(sql)) === 0);
}

/** Whether all of the correction of that account is there; fails the test where it is neither all nor nothing. */
async function isWhole(sql: Sql, account: string, step: string): Promise<boolean> {
  const [found] = await sql<{ id: string; auto_corrected: boolean; resolved_by: string | null }[]>`
    select id, auto_corrected, resolved_by from reconciliation_exceptions where affected_entity = ${`account:${account}`}`;
  const traces = await sql<{ present: boolean }[]>`
    select balance = 20 as present from ledger_accounts where id = ${account}
    union all select count(*) = 1 from reconciliation_corrections where exception_id = ${found!.id}
    union all select count(*) = 1 from reconciliation_exception_events
    where exception_id = ${found!.id} and event = 'corrected'`;
  const all = [...traces.map(({ present }) => present), found!.auto_corrected, found!.resolved_by === 'system'];
  expect(new Set(all).size, `${step}: ${all.join()}`).toBe(1);
  return found!.auto_corrected;
}

type Sql = Awaited<ReturnType<typeof testDatabase>>['sql'];

async function waiting(sql: Sql): Promise<number> {
  return (await sql`select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`).length;
}

async function sessions(sql: Sql): Promise<number> {
  return (await sql`select from pg_stat_activity where application_name = 'recon' and datname = current_database()`)
    .length;
}

/** Asks again until it is so; the time limit of the test ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}
