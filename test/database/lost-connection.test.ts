import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { cancelledBy } from '../../src/database/cancel.ts';
import { inTransaction, withDatabase, type Transaction } from '../../src/database/database.ts';
import { testDatabase } from '../support/database.ts';

const { url, sql } = await testDatabase();

async function sessionOf(transaction: Transaction): Promise<number> {
  const [row] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row!.pid;
}

test('where a connection is lost while nobody speaks, what goes on beside it and ends well sends nothing there', async () => {
  await withDatabase(url, { connections: 2 }, async (database) => {
    const ended: string[] = [];
    const held = inTransaction(database, 'read only', async (transaction) => {
      const session = await sessionOf(transaction);
      await sql`select pg_terminate_backend(${session})`;
      await held.catch(() => ended.push('transaction'));
      ended.push('body');
    });
    await expect(held).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve))); // a `commit` would break by now
    expect(ended).toEqual(['transaction', 'body']);
    expect(await inTransaction(database, 'read only', sessionOf)).toBeGreaterThan(0);
  });
});

test('nobody cancels what is done in a transaction whose connection is lost: its timer would keep the process alive', async () => {
  const { signal } = new AbortController();
  await withDatabase(url, { connections: 2 }, async (database) => {
    const lost = inTransaction(database, 'read only', (transaction) =>
      cancelledBy(signal, database, transaction, async () => {
        expect(getEventListeners(signal, 'abort')).toHaveLength(1);
        await sql`select pg_terminate_backend(${await sessionOf(transaction)})`;
        await lost.catch(() => undefined);
        return transaction`select`; // never ends
      }),
    );
    await expect(lost).rejects.toThrow();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
