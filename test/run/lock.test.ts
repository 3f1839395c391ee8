import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { withRunLock } from '../../src/run/lock.ts';
import { inReadOnly, openDatabase, type Database } from '../../src/database/database.ts';
import { holderOf } from '../../src/database/held-lock.ts';
import { testDatabase, untilWaited } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { login } from '../support/login.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, reconIn, testWorld } from '../support/world.ts';

const impatient = { waitMs: 0, signal: new AbortController().signal, waiting: () => undefined };

/** Holds the lock of a schema's runs, as another process does, until `release` is called. */
async function holdLock(url: string, schema = 'public'): Promise<{ release: () => Promise<void> }> {
  const database = openDatabase(url, { connections: 1 });
  const events = new EventEmitter();
  const holding = withRunLock(database, schema, impatient, async () => {
    events.emit('taken');
    await once(events, 'release');
  });
  await Promise.race([once(events, 'taken'), holding]);
  return {
    release: async () => {
      events.emit('release');
      await holding;
      await database.end();
    },
  };
}

async function reportsOf(sql: postgres.Sql): Promise<number> {
  return (await sql`select from reconciliation_reports`).length;
}

describe('the lock of all runs', { timeout: 120_000 }, () => {
  test('held by another run: exit 4 at once, nothing read or written', async () => {
    const { url, sql } = await testDatabase();
    const { types } = operatorOf(url);
    const { release } = await holdLock(url);
    const inVain = [[], ['--type', 'hourly'], ['--dry-run'], ['-o', 'json']].map((flags) => types(['run', ...flags]));
    for (const { exitCode, stdout, stderr } of await Promise.all(inVain)) {
      expect([exitCode, stdout]).toEqual([4, '']);
      expect(stderr).toMatch(
        /^recon: Another run holds the lock of schema public, session \d+ of the role \w+ \(recon\)(?: at \S+)?, since 20\d\d-\S+Z; nothing was read or written\.\nThere is one run at a time, dry runs too: wait for it to end, or give --wait 15m\.\nrecon: exit 4\n$/,
      );
    }
    expect(await reportsOf(sql)).toBe(0);
    await release();
    expect((await types(['run', '--check', 'deposits'])).exitCode).toBe(0);
  });

  test('is held by the session that is named, also where its role may see nothing of it', async () => {
    const { url, sql } = await testDatabase();
    const { release } = await holdLock(url);
    const database = openDatabase(url, { connections: 1 });
    const holderIn = (pool: Database, name = 'recon run public') => inReadOnly(pool, (seen) => holderOf(seen, name));
    const [lock] = await sql<{ pid: number }[]>`
      select pid from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    expect(await holderIn(database)).toMatch(`session ${lock!.pid} of the role `);
    expect(await holderIn(database, 'recon run other')).toBe('a session that has ended by now');
    const inVain = withRunLock(database, 'public', { ...impatient, waitMs: 1 }, () => Promise.resolve());
    await expect(inVain).rejects.toMatchObject({
      exitCode: 4,
      hint: 'It did not end within 1 ms. If it hangs, end its process: the lock goes with it.',
    });
    const stranger = openDatabase((await login(sql, url)).url, { connections: 1 });
    expect(await holderIn(stranger)).toMatch(new RegExp(`^session ${lock!.pid} of the role \\w+ \\(recon\\)$`));
    await Promise.all([release(), database.end(), stranger.end()]);
  });

  test('is waited for with --wait, which does not count against the deadline of the run', async () => {
    const { url, sql } = await testDatabase();
    const env = { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_RUN_TIMEOUT: '20s' };
    const world = testWorld({ env });
    const { release } = await holdLock(url);
    const waiting = reconIn(world, ['run', '--wait', '60s']);
    await expect
      .poll(() => world.stderr.text, { timeout: 60_000 })
      .toMatch(/another run holds the lock, session .*; waiting for it to end, 1 min 0 s at most/);
    expect(await reportsOf(sql)).toBe(0);
    await release();
    expect((await waiting).exitCode).toBe(0);
    expect(await reportsOf(sql)).toBe(1);
  });

  test('belongs to a schema', async () => {
    const { url } = await testDatabase();
    const { release } = await holdLock(url, 'another');
    expect((await operatorOf(url).types(['run', '--check', 'deposits'])).exitCode).toBe(0);
    await release();
  });

  test('is let go when the body fails, and a signal ends the waiting', async () => {
    const { url } = await testDatabase();
    const database = openDatabase(url, { connections: 2 });
    const failing = withRunLock(database, 'public', impatient, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    await withRunLock(database, 'public', impatient, async () => {
      const interrupted = new AbortController();
      const waiting = withRunLock(
        database,
        'public',
        { ...impatient, waitMs: 60_000, signal: interrupted.signal },
        () => Promise.resolve(),
      );
      interrupted.abort();
      await expect(waiting).rejects.toThrow(/abort/i);
    });
    await database.end();
  });
});

test('a table that somebody else has locked for good ends a run, which names the lock', async () => {
  const { url, sql } = await testDatabase();
  const { types } = operatorOf(url, { RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_RUN_TIMEOUT: '1s' });
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`lock table reconciliation_exceptions, reconciliation_switched_off in access exclusive mode`;
  const outcomes = await Promise.all([
    types(['run']),
    types(['run', '--type', 'hourly'], { env: { RECONCILIATION_ENABLED: 'false' } }),
  ]);
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([3, 0]);
  for (const { stderr } of outcomes)
    expect(stderr).toMatch(/Somebody else held a lock at \S+ for too long: .* lock timeout \(55P03\)\.\n/);
  expect(outcomes[0].stderr).toMatch(
    / Locked at that moment: session \d+ of the role [^:]+(:[^:]+)*: reconciliation_(exceptions|switched_off)\.\n/,
  );
  await holder`rollback`;
  holder.release();
  expect((await types(['run'])).exitCode).toBe(0);
});

test('who locks a table of the host is named by the check that waited for it, and by the story of an exception', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  ledger.deposit(ledger.user(), '5', { post: false });
  await ledger.save(sql);
  const { runs, types } = operatorOf(url, { RECONCILIATION_CHECKS: 'deposits,withdrawals' });
  const [found] = (await runs()).exceptions;
  await sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '200ms'`);
  await sql.begin(async (other) => {
    const [own] = await other<{ pid: number }[]>`
      select pg_backend_pid() as pid, set_config('application_name', 'postgres://u:pa55word@db', true)`;
    await other`lock table users in access exclusive mode`; // of no check
    await other`reindex index deposits_pkey`;
    const whose = `locked for too long: canceling statement due to lock timeout. Often it is a migration that was left open. Locked at that moment: session ${own!.pid} of the role `;
    const { exitCode, checks } = await runs();
    expect(exitCode).toBe(3);
    expect(checks).toMatchObject([
      { check_type: 'deposits', error_message: expect.stringMatching(/Z: deposits\.$/) as string },
      { check_type: 'withdrawals', passed: true },
    ]);
    expect(checks[0]!['error_message']).toContain(whose);
    expect(checks[0]!['error_message']).not.toContain('pa55word');
    expect((await types(['exceptions', 'show', found!.id])).stdout).toContain(whose);
  });
});

test('where the server tells nobody who locks what, the check says why it could not tell, and the next one goes on', async () => {
  const { url, sql } = await testDatabase();
  await sql.unsafe(await readFile(new URL('../../sql/roles.sql', import.meta.url), 'utf8'));
  await sql`revoke select on pg_locks from public`;
  await sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '200ms'`);
  const { types } = operatorOf((await login(sql, url, 'recon_reader')).url, {
    RECONCILIATION_CHECKS: 'deposits,withdrawals',
  });
  await sql.begin(async (other) => {
    await other`lock table deposits in access exclusive mode`;
    const { exitCode, stdout } = await types(['run', '--dry-run', '-o', 'json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      checks: [
        { error_message: expect.stringMatching(/lock timeout\. .* pg_locks says who holds what\.$/) as string },
        { passed: true },
      ],
    });
  });
});

test('a run whose lock is lost ends at once, whatever its checks wait for', async () => {
  const { url, sql } = await testDatabase();
  const { types } = operatorOf(url, { RECONCILIATION_CHECKS: 'deposits' });
  const locks = (condition: postgres.PendingQuery<postgres.Row[]>) => sql<{ pid: number }[]>`
    select lock.pid from pg_locks as lock
    where lock.database = (select oid from pg_database where datname = current_database()) and ${condition}`;
  await sql.begin(async (other) => {
    await other`lock table deposits in access exclusive mode`;
    const run = types(['run']);
    await expect.poll(() => locks(sql`not lock.granted`), { timeout: 60_000 }).toHaveLength(1);
    const [lock] = await locks(sql`lock.locktype = 'advisory'`);
    await sql`select pg_terminate_backend(${lock!.pid})`;
    expect(await run).toMatchObject({ exitCode: 3, stdout: '' });
    const left = () => sql`
      select state from pg_stat_activity where application_name = 'recon' and datname = current_database()`;
    await expect.poll(left, { timeout: 10_000 }).toHaveLength(0);
  });
});

test('a signal ends a run at once that waits to begin while somebody changes exceptions', async () => {
  const { url, sql } = await testDatabase();
  const world = testWorld({ env: { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits' } });
  const outcome = await sql.begin(async (other) => {
    await other`select pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    const beginning = reconIn(world, ['run']);
    await untilWaited(sql);
    world.interrupt('SIGTERM');
    return beginning;
  });
  expect(outcome.exitCode).toBe(143);
});
