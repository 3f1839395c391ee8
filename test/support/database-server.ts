import { randomBytes } from 'node:crypto';
import postgres from 'postgres';

/** Makes a database with a name that nobody else has, as a clone of `template` if one is given. */
export async function createDatabase(
  serverUrl: string,
  prefix: string,
  template = 'template0',
): Promise<{ name: string; url: string }> {
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  const sql = onServer(serverUrl);
  const [server] = await sql<[{ chooses: boolean }]>`
    select current_setting('server_version_num')::int >= 150000 as chooses`;
  const copied = server.chooses ? sql`strategy file_copy` : sql``; // in a third of the time; 14 knows no other way
  await sql`create database ${sql(name)} template ${sql(template)} ${copied}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

/** Also if somebody is connected. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const sql = onServer(serverUrl);
  await sql`drop database if exists ${sql(name)} with (force)`;
}

/** Takes every row out of every table, but what says that our migrations were applied and corrections may be made. */
export async function emptyTables(sql: postgres.Sql): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables
    where schemaname = 'public' and tablename not in ('reconciliation_migrations', 'reconciliation_correction_switch')`;
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction.unsafe(tables.map(({ name }) => `delete from ${name}`).join(';'));
  });
}

/** One connection to each server. It stays for a second: who made a database mostly drops it soon, or makes the next one. */
function onServer(url: string): postgres.Sql {
  const known = servers.get(url);
  if (known) return known;
  const sql = postgres(url, { onnotice: () => undefined, max: 1, fetch_types: false, idle_timeout: 1 });
  servers.set(url, sql);
  return sql;
}

const servers = new Map<string, postgres.Sql>();
