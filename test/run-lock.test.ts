import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { withRunLock } from '../src/run-lock.ts';
import { openDatabase } from '../src/database.ts';
import { testDatabase } from './support/database.ts';
import { operatorOf } from './support/world.ts';

/** Holds the lock of a schema's runs, as another process does, until `release` is called. */
async function holdLock(url: string, schema = 'public'): Promise<{ release: () => Promise<void> }> {
  const database = openDatabase(url, { connections: 1 });
  let letGo = () => undefined as void;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let taken = () => undefined as void;
  const isTaken = new Promise<void>((resolve) => (taken = resolve));
  const holding = withRunLock(database, schema, 0, new AbortController().signal, async () => {
    taken();
    await held;
  });
  await Promise.race([isTaken, holding]);
  return {
    release: async () => {
      letGo();
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
    for (const flags of [[], ['--type', 'hourly'], ['--dry-run'], ['-o', 'json']]) {
      const { exitCode, stdout, stderr } = await types(['run', ...flags]);
      expect([exitCode, stdout]).toEqual([4, '']);
      expect(stderr).toBe(
        'recon: Another run holds the lock of schema public; nothing was read or written.\nWait for it to end, or give --wait 15m.\nrecon: exit 4\n',
      );
    }
    expect(await reportsOf(sql)).toBe(0);
    await release();
    expect((await types(['run', '--check', 'deposits'])).exitCode).toBe(0);
  });

  test('is waited for with --wait, which does not count against the deadline of the run', async () => {
    const { url, sql } = await testDatabase();
    const { types } = operatorOf(url, { RECONCILIATION_RUN_TIMEOUT: '20s' });
    const { release } = await holdLock(url);
    const waiting = types(['run', '--wait', '60s', '--check', 'deposits']);
    const tries = () => sql`
      select from pg_stat_activity
      where datname = current_database() and query like '%pg_try_advisory_xact_lock%' and pid <> pg_backend_pid()`;
    await expect.poll(async () => (await tries()).length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(1);
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
    const { signal } = new AbortController();
    const failing = withRunLock(database, 'public', 0, signal, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    await withRunLock(database, 'public', 0, signal, async () => {
      const interrupted = new AbortController();
      const waiting = withRunLock(database, 'public', 60_000, interrupted.signal, () => Promise.resolve());
      interrupted.abort();
      await expect(waiting).rejects.toThrow(/abort/i);
    });
    await database.end();
  });
});
