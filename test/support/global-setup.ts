import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { query, withDatabase } from '../../src/database/database.ts';
import { migrateUp } from '../../src/migrations/migrations.ts';
import { createDatabase, dropDatabase } from './database-server.ts';
import { withoutConstraints } from './ledger.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A role that may create databases, in a database that nobody writes to. */
    serverUrl: string;
    /** The name of the database that every test database is a clone of. */
    templateDatabase: string;
    /** The same, whose host has no constraints. */
    templateWithoutConstraints: string;
  }
}

/**
 * One server for the whole run (that of TEST_DATABASE_URL, whose role needs CREATEDB, or an embedded one) with two
 * templates: the host's schema and our migrations, with the host's constraints and without.
 */
export async function setup(project: TestProject): Promise<void> {
  server = await testServer(process.env['TEST_DATABASE_URL']);
  project.provide('serverUrl', server.url);
  try {
    const template = await makeTemplate('template0', fillTemplate);
    project.provide('templateDatabase', template);
    project.provide('templateWithoutConstraints', await makeTemplate(template, dropConstraints));
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  for (const name of templates) await dropDatabase(server!.url, name);
  await server?.stop();
}

let server: PostgresServer | undefined;
const templates: string[] = [];

/** Answers its name. */
async function makeTemplate(from: string, fill: (url: string) => Promise<void>): Promise<string> {
  const { name, url } = await createDatabase(server!.url, 'recon_template', from);
  templates.push(name);
  await fill(url);
  return name;
}

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

async function dropConstraints(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await withoutConstraints(sql);
  await sql.end();
}
