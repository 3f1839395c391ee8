import { expect, test } from 'vitest';
import {
  asTheRole,
  inTransaction,
  openDatabase,
  query,
  toRfc3339,
  withDatabase,
  type Database,
  type Transaction,
} from '../../src/database/database.ts';
import { holdLock, tryLock } from '../../src/database/held-lock.ts';
import { lockExceptions } from '../../src/exceptions/store.ts';
import { testDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';

const { url, sql } = await testDatabase();

/** The server's machine decides what can be told of a connection, not ours. */
const [server] = await sql`select version() like '%linux%' as on_linux`;
const onLinux = server?.['on_linux'] as boolean;

test('what a role or database has by itself changes the meaning of no text', async () => {
  const role = await login(sql, url);
  for (const own of [`datestyle = 'SQL, DMY'`, `timezone = 'Asia/Kolkata'`, 'standard_conforming_strings = off'])
    await sql.unsafe(`alter role ${role.name} set ${own}`);
  await withDatabase(role.url, { connections: 1 }, async (database) => {
    const read = (transaction: Transaction) =>
      query(transaction, String.raw`select timestamptz '2026-03-01 11:45:00.5+00' as at, length('\_') as length`);
    const same = [{ at: '2026-03-01T11:45:00.5Z', length: 2 }];
    expect(await inTransaction(database, 'read only', read)).toEqual(same);
    await expect(
      inTransaction(database, 'read only', async (transaction) => {
        await transaction`set local datestyle = 'SQL, DMY'`; // as a pooler would that drops start-up parameters
        return read(transaction);
      }),
    ).rejects.toMatchObject({ exitCode: 78, message: expect.stringContaining('ISO 8601') as string });
  });
});

test.each([
  ['2026-03-01 11:45:00+00', '2026-03-01T11:45:00Z'],
  ['12026-03-01 11:45:00.123456+00', '12026-03-01T11:45:00.123456Z'],
  ['infinity', 'infinity'],
  ['-infinity', '-infinity'],
  ['0044-03-15 00:00:00+00 BC', '0044-03-15 00:00:00+00 BC'],
])('the time %s is read as %s', (text, time) => {
  expect(toRfc3339(text)).toBe(time);
});

test.each([
  '01/03/2026 11:45:00 UTC', // SQL, DMY
  '01.03.2026 11:45:00 UTC', // German
  'Sun Mar 01 11:45:00 2026 UTC', // Postgres
  '2026-03-01 17:15:00+05:30',
])('the time %s is refused', (text) => {
  expect(() => toRfc3339(text)).toThrow('another form than ISO 8601 in UTC');
});

/** Once as it is in a transaction, and once after it on the same connection. */
async function limitsOf(database: Database) {
  return [...(await inTransaction(database, 'read only', limits)), ...(await asTheRole(database, limits))];
}

function limits(transaction: Transaction) {
  return query(
    transaction,
    `select current_setting('lock_timeout') as lock, current_setting('client_connection_check_interval') as client`,
  );
}

test('a transaction waits for no lock without end and does not outlive its process; nothing of it stays', async () => {
  const none = { lock: '0', client: '0' };
  const client = onLinux ? '5s' : '0';
  const look = (lockTimeoutMs?: number) =>
    withDatabase(url, { connections: 1, ...(lockTimeoutMs !== undefined && { lockTimeoutMs }) }, limitsOf);
  expect(await look()).toEqual([{ lock: '1min', client }, none]);
  expect(await look(2_000)).toEqual([{ lock: '2s', client }, none]);
});

test('a role that has limits of its own keeps them', async () => {
  const role = await login(sql, url);
  await sql.unsafe(`alter role ${role.name} set lock_timeout = '7s'`);
  await sql.unsafe(`alter role ${role.name} set client_connection_check_interval = '1s'`);
  const database = openDatabase(role.url, { connections: 1 });
  const own = { lock: '7s', client: '1s' };
  expect(await limitsOf(database)).toEqual([own, own]);
  await database.end();
});

test('the exceptions are waited for longer than a table is, and who holds them for longer is named', async () => {
  const database = openDatabase(url, { connections: 1, lockTimeoutMs: 50 });
  const change = (waitMs: number) =>
    inTransaction(database, 'read write', async (transaction) => {
      await lockExceptions(transaction, 'public', waitMs);
      return limits(transaction);
    });
  let patient: ReturnType<typeof change> | undefined;
  await sql.begin(async (other) => {
    const [holder] = await other<{ pid: number }[]>`
      select pg_backend_pid() as pid, pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    await expect(change(50)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(new RegExp(`^The exceptions are held by session ${holder!.pid} of `)) as string,
    });
    patient = change(60_000);
    const longerThanATable = async () =>
      sql`
        select from pg_stat_activity
        where application_name = 'recon' and wait_event = 'advisory' and clock_timestamp() - query_start > '0.1 s'`;
    await expect.poll(longerThanATable, { timeout: 10_000 }).toHaveLength(1);
  });
  expect(await patient).toMatchObject([{ lock: '50ms' }]);
  await database.end();
});

/** From PostgreSQL 17 on. */
const [{ timed } = { timed: false }] = await sql<{ timed: boolean }[]>`
  select current_setting('transaction_timeout', true) is not null as timed`;

test.runIf(timed)(
  'a limit of the role for transactions holds for no lock of ours, and where it ends one is no bug of recon',
  async () => {
    const role = await login(sql, url);
    await sql.unsafe(`alter role ${role.name} set transaction_timeout = '200ms'`);
    await withDatabase(role.url, { connections: 1 }, async (database) => {
      const held = inTransaction(database, 'read only', async (transaction) => {
        await holdLock(transaction, 'recon test', 0);
        return transaction`select pg_sleep(0.3)`;
      });
      expect(await held).toHaveLength(1);
    });
    const late = withDatabase(role.url, { connections: 1 }, (database) =>
      inTransaction(database, 'read only', (transaction) => transaction`select pg_sleep(10)`),
    );
    await expect(late).rejects.toMatchObject({ exitCode: 3 });
  },
);

test.each([holdLock, tryLock])('a lock outlives no machine: %s', async (take) => {
  await withDatabase(url, { connections: 1 }, async (database) => {
    const keepalives = async (transaction: Transaction) => {
      const names = ['idle', 'interval', 'count'].map((name) => `current_setting('tcp_keepalives_${name}')`);
      const [row] = await query(transaction, `select concat_ws(' ', ${names.join(', ')}) as seconds`);
      return row?.['seconds'] as string;
    };
    const own = await asTheRole(database, keepalives);
    const held = await inTransaction(database, 'read only', async (transaction) => {
      await take(transaction, 'recon test', 0);
      return keepalives(transaction);
    });
    expect(held).toBe(onLinux ? '60 10 6' : own);
    expect(await asTheRole(database, keepalives)).toBe(own);
  });
});
