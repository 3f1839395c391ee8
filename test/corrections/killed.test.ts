import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { operatorOf } from '../support/world.ts';

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

test('kill -9 at every step leaves all of a correction or none, and the next run is clean', async () => {
  const { url, sql } = await testDatabase();
  const now = new Date();
  const ledger = new LedgerBuilder({ now });
  const users = Object.keys(steps).map(() => ledger.user());
  for (const user of users) ledger.deposit(user, '20');
  await ledger.save(sql);
  await sql`
    create function wait_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(4711); return new; end $$`;
  const env = { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' };
  const { runs } = operatorOf(url, env);
  const checks = 'ledger_consistency,deposits,conversion_jobs,withdrawals';
  const ended: Record<string, boolean> = {};

  for (const [index, [step, event]] of Object.entries(steps).entries()) {
    const { id } = ledger.account(users[index]!, 'usdc_balance');
    await sql`update ledger_accounts set balance = 20.25 where id = ${id}`;
    const kind = event.includes('deferred') ? 'create constraint trigger' : 'create trigger';
    await sql.unsafe(`${kind} here ${event} execute function wait_here()`);
    const table = / on (\w+)/.exec(event)![1]!;
    await sql.begin(async (holder) => {
      await holder`select pg_advisory_xact_lock(4711)`;
      const recon = spawn(process.execPath, [binary, 'run'], {
        env: {
          PATH: process.env['PATH'] ?? '',
          DATABASE_URL: url,
          RECONCILIATION_CHECKS: checks,
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
    await sql.unsafe(`drop trigger here on ${table}`);

    const [found] = await sql<{ id: string; auto_corrected: boolean; resolved_by: string | null }[]>`
      select id, auto_corrected, resolved_by from reconciliation_exceptions where affected_entity = ${`account:${id}`}`;
    const traces = await sql<{ present: boolean }[]>`
      select balance = 20 as present from ledger_accounts where id = ${id}
      union all select count(*) = 1 from reconciliation_corrections where exception_id = ${found!.id}
      union all select count(*) = 1 from reconciliation_exception_events
      where exception_id = ${found!.id} and event = 'corrected'`;
    const all = [...traces.map(({ present }) => present), found!.auto_corrected, found!.resolved_by === 'system'];
    expect(new Set(all).size, `${step}: ${all.join()}`).toBe(1);
    ended[step] = found!.auto_corrected;

    const next = await runs([], { now: new Date(), asOf: null });
    expect(next.report.metadata['corrections'], step).toMatchObject({
      tried: ended[step] ? 0 : 1,
      failed: 0,
      refused: 0,
    });
    expect(await sql`select from ledger_accounts where id = ${id} and balance = 20`, step).toHaveLength(1);
  }
  expect(ended).toMatchObject({ 'when it has written': false, 'at its commit': true, 'after it': true });
  expect(await sql`select from reconciliation_corrections where state = 'applied'`).toHaveLength(users.length);
  const [total] = await sql<{ total: string }[]>`
    select total from reconciliation_totals where metric = 'reconciliation_exceptions_auto_corrected_total'`;
  expect(total).toEqual({ total: String(users.length) });
  expect((await runs([], { now: new Date(), asOf: null })).exitCode).toBe(0);
});

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
