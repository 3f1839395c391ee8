import { createHash } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { timeOf } from './figures.ts';
import { fill, freshen, readFill, readHost } from './fill.ts';
import type { LedgerSize } from './shapes.ts';

export interface FilledLedger {
  url: string;
  /** How long it took to fill; null if it was there. */
  fillMs: number | null;
}

/** Finds the ledger of that size and shape on the server, or fills it: one database each. */
export async function openLedger(
  serverUrl: string,
  size: LedgerSize,
  say: (text: string) => void,
): Promise<FilledLedger> {
  const name = `bench_${size.entries}_${size.shape.replaceAll('-', '_')}`;
  const url = urlOf(serverUrl, name);
  const version = createHash('sha256')
    .update(await readFill(size.shape))
    .digest('hex'); // of another one it would be another ledger
  const isThere = await connected(serverUrl, (sql) => hasDatabase(sql, name, version));
  if (!isThere) say(`Filling a ledger of ${size.entries} entries (${size.shape}) …`);
  const fillMs = isThere ? null : await timeOf(() => make(serverUrl, name, size, version));
  await connected(url, freshen);
  return { url, fillMs };
}

async function hasDatabase(sql: Sql, name: string, version: string): Promise<boolean> {
  const found = await sql`
    select from pg_database where datname = ${name} and shobj_description(oid, 'pg_database') = ${version}`;
  return found.length > 0;
}

/** Under another name until it is complete: a fill that was stopped leaves nothing that looks like a ledger. */
async function make(serverUrl: string, name: string, size: LedgerSize, version: string): Promise<void> {
  const draft = `${name}_draft`;
  await connected(serverUrl, async (sql) => {
    for (const old of [draft, name]) await sql`drop database if exists ${sql(old)} with (force)`;
    await sql`create database ${sql(draft)} template template0`;
  });
  await connected(urlOf(serverUrl, draft), async (sql) => {
    await sql.unsafe(await readHost());
    await fill(sql, size);
  });
  await connected(serverUrl, async (sql) => {
    await sql`alter database ${sql(draft)} rename to ${sql(name)}`;
    await sql.unsafe(`comment on database ${name} is '${version}'`); // takes no parameters
    await sql`checkpoint`; // what was written meanwhile is not written while something is measured
  });
}

/** Gives `body` one connection. */
export async function connected<T>(url: string, body: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await body(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
