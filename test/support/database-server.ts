import { randomBytes } from 'node:crypto';
import postgres from 'postgres';

/** Makes a database with a name that nobody else has, as a clone of `template` if one is given. */
export async function createDatabase(
  serverUrl: string,
  prefix: string,
  template = 'template0',
): Promise<{ name: string; url: string }> {
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, (sql) => sql`create database ${sql(name)} template ${sql(template)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

/** Also if somebody is connected. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await onServer(serverUrl, (sql) => sql`drop database if exists ${sql(name)} with (force)`);
}

async function onServer(url: string, statement: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { onnotice: () => undefined, max: 1 });
  try {
    await statement(sql);
  } finally {
    await sql.end();
  }
}
