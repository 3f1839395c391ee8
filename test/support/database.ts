import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { TestRunner, afterAll, inject, onTestFinished } from 'vitest';
import { createDatabase, dropDatabase } from './database-server.ts';

export interface TestDatabase {
  /** For whatever connects by itself: a spawned `recon`, `openDatabase`. */
  url: string;
  /** Amounts and bigints come as text. Several connections: concurrent transactions work. */
  sql: postgres.Sql;
}

/**
 * A database of your own with the host's schema and our migrations, empty. Called in a test it lives as long as that
 * test, at the top of a file (`const { url, sql } = await testDatabase();`) as long as the file.
 */
export async function testDatabase(): Promise<TestDatabase> {
  return databaseFrom(inject('templateDatabase'));
}

/** The same, whose host has no keys, checks, triggers, enums or scales: faulty rows can be written into it. */
export async function databaseWithoutConstraints(): Promise<TestDatabase> {
  return databaseFrom(inject('templateWithoutConstraints'));
}

/** A database of your own without any table. Lives as long as a `testDatabase`. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return databaseFrom('template0');
}

async function databaseFrom(template: string): Promise<TestDatabase> {
  const serverUrl = inject('serverUrl');
  const { name, url } = await createDatabase(serverUrl, 'recon_test', template);
  const sql = postgres(url, { onnotice: () => undefined, max: 10 });
  const drop = async () => {
    await sql.end({ timeout: 1 });
    await dropDatabase(serverUrl, name);
  };
  if (TestRunner.getCurrentTest()) onTestFinished(drop);
  else afterAll(drop);
  return { url, sql };
}

/** A connection of somebody else, closed with the test. */
export function connectTo(url: string): postgres.Sql {
  const sql = postgres(url, { onnotice: () => undefined, max: 1 });
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}

/** Until somebody waits for an advisory lock in this database. */
export async function untilWaited(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select from pg_locks
      where
        locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`;
    if (waiting.length > 0) return;
    await sleep(20);
  }
}
