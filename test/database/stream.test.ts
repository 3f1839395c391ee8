import { expect, test } from 'vitest';
import { rowsOf, streamFrom, type DatabaseOptions } from '../../src/database/database.ts';
import { listOf } from '../../src/database/list-of.ts';
import { testDatabase } from '../support/database.ts';

const { url, sql } = await testDatabase();

interface Row {
  place: number;
  lock: string;
  isolation: string;
  pid: number;
}

function streamed(to: number, options?: Partial<DatabaseOptions>) {
  return streamFrom(url, { connections: 1, ...options }, (transaction) =>
    rowsOf(transaction<Row[]>`
      select
        place, current_setting('lock_timeout') as lock, current_setting('transaction_isolation') as isolation,
        pg_backend_pid() as pid
      from generate_series(1, ${to}) as place`),
  );
}

async function sessions(): Promise<number> {
  const found = await sql`
    select from pg_stat_activity where application_name = 'recon' and datname = current_database()`;
  return found.length;
}

test('what is read bit by bit is read in a transaction like any other, which ends with it', async () => {
  const rows = await listOf(streamed(1_200, { lockTimeoutMs: 50 }));
  expect(rows.map(({ place }) => place)).toEqual(Array.from({ length: 1_200 }, (_, index) => index + 1));
  expect(rows[0]).toMatchObject({ lock: '50ms', isolation: 'read committed' });
  for await (const { place } of streamed(100_000)) if (place === 700) break;
  await expect.poll(sessions, { timeout: 10_000 }).toBe(0);
});

test('a connection that is lost meanwhile ends no list as if that were all', async () => {
  const read = async () => {
    for await (const { place, pid } of streamed(100_000))
      if (place === 1) await sql`select pg_terminate_backend(${pid})`;
  };
  await expect(read()).rejects.toMatchObject({ exitCode: 3 });
});

test('a lock that is not to be had, a database that is not there: whoever operates it is told', async () => {
  await sql.begin(async (other) => {
    await other`lock table reconciliation_exceptions in access exclusive mode`;
    const locked = streamFrom(url, { connections: 1, lockTimeoutMs: 50 }, (transaction) =>
      rowsOf(transaction`select from reconciliation_exceptions`),
    );
    await expect(listOf(locked)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('Somebody else held a lock') as string,
    });
  });
  const nowhere = streamFrom('postgres://127.0.0.1:1/none', { connections: 1 }, () => rowsOf(sql`select`));
  await expect(listOf(nowhere)).rejects.toMatchObject({ exitCode: 3 });
});
