import { readFile } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { query, withDatabase } from '../../src/database/database.ts';
import { migrateUp } from '../../src/migrations/migrations.ts';
import { createDatabase, dropDatabase } from './database-server.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A role that may create databases, in a database that nobody writes to. */
    serverUrl: string;
    /** The name of the database that every test database is a clone of. */
    templateDatabase: string;
  }
}

/**
 * One server for the whole run (that of TEST_DATABASE_URL, whose role needs CREATEDB, or an embedded one) with one
 * template: the host's schema and our migrations.
 */
export async function setup(project: TestProject): Promise<void> {
  server = await testServer(process.env['TEST_DATABASE_URL']);
  template = await createDatabase(server.url, 'recon_template');
  await fillTemplate(template.url).catch(async (error: unknown) => {
    await teardown();
    throw error;
  });
  project.provide('serverUrl', server.url);
  project.provide('templateDatabase', template.name);
}

export async function teardown(): Promise<void> {
  if (server && template) await dropDatabase(server.url, template.name);
  await server?.stop();
}

let server: PostgresServer | undefined;
let template: Awaited<ReturnType<typeof createDatabase>> | undefined;

async function testServer(given: string | undefined): Promise<PostgresServer> {
  if (given === undefined || given === '') return startPostgres({ inMemory: true });
  return { url: given, stop: () => Promise.resolve() };
}

/** The tables of the first host, as its own migrations leave them, and ours beside them. */
export async function fillTemplate(url: string): Promise<void> {
  const host = await readFile(new URL('./host.sql', import.meta.url), 'utf8');
  await withDatabase(url, { connections: 1 }, async (database) => {
    await database.begin((transaction) => query(transaction, host));
    await migrateUp(database, undefined);
  });
}
