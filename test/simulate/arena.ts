import postgres from 'postgres';
import { createDatabase, dropDatabase } from '../support/database-server.ts';
import { withoutConstraints } from '../support/ledger.ts';
import { startServer, type SandboxServer } from '../support/sandbox-server.ts';
import { startLineCutter, type LineCutter } from './line-cutter.ts';

/** Where one story is played. */
export interface Arena {
  sql: postgres.Sql;
  /** Between recon and the database. */
  line: LineCutter;
  hook: Hook;
}

/** A webhook that takes whatever comes. */
export interface Hook {
  url: string;
  /** The ids of what came, in order. */
  ids: string[];
}

/** Gives each story an arena of its own, on one server. */
export async function withArenas<T>(
  serverUrl: string,
  template: string,
  body: (inArena: (play: (arena: Arena) => Promise<void>) => Promise<void>) => Promise<T>,
): Promise<T> {
  const ids: string[] = [];
  const hook = await startHook(ids);
  const faulty = await createDatabase(serverUrl, 'recon_simulate', template);
  try {
    await withSql(faulty.url, withoutConstraints); // an application that breaks is not held back by them
    return await body(async (play) => {
      ids.length = 0;
      const { name, url } = await createDatabase(serverUrl, 'recon_story', faulty.name);
      const line = await startLineCutter(url);
      try {
        await withSql(url, (sql) => play({ sql, line, hook: { url: hook.url, ids } }));
      } finally {
        await line.close();
        await dropDatabase(serverUrl, name);
      }
    });
  } finally {
    await hook.close();
    await dropDatabase(serverUrl, faulty.name);
  }
}

function startHook(ids: string[]): Promise<SandboxServer> {
  return startServer({
    rateLimit: undefined,
    handle: ({ headers }) => {
      ids.push(headers['webhook-id'] ?? '');
      return { status: 200, headers: {}, body: '' };
    },
    tooMany: () => ({ status: 429, headers: {}, body: '' }),
    headers: () => ({}),
  });
}

async function withSql(url: string, body: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { onnotice: () => undefined, max: 2 });
  try {
    await body(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
