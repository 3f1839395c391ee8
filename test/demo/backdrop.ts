import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { fill, keepInFlight, type Filled } from './fill.ts';
import { withSandboxes } from './sandboxes.ts';

/** What `recon` meets in the demo: a database, a Circle, an Alpaca. */
export interface Backdrop {
  sql: postgres.Sql;
  /** Where they are, and the keys. */
  env: Record<string, string>;
  planted: Filled['planted'];
  /** There is no table of recon's own yet. */
  isNew: boolean;
}

interface State extends Filled {
  /** The moment that the demo's clock shows; it stands still between two commands. */
  clock: string;
}

/** Forgets what was kept. */
export async function clear(folder: string): Promise<void> {
  await rm(join(folder, 'state.json'), { force: true });
  await rm(join(folder, 'data'), { recursive: true, force: true });
}

/** Starts everything on what was kept, or on a month made anew, and stops it after `body`. */
export async function withBackdrop<T>(
  folder: string,
  say: (text: string) => void,
  body: (backdrop: Backdrop) => Promise<T>,
): Promise<T> {
  const kept = await readState(folder);
  if (kept === undefined) await clear(folder); // a month that was not finished
  say(kept ? 'Starting PostgreSQL on the books of the demo …' : 'Starting PostgreSQL …');
  const server = await startKept(join(folder, 'data'));
  try {
    return await withDatabase(server.url, async (sql, url) => {
      const state = kept ? await moveClock(folder, sql, kept) : await begin(folder, sql, say);
      return withSandboxes(state, (env) =>
        body({
          sql,
          env: { DATABASE_URL: url, RECONCILIATION_ENVIRONMENT: 'demo', ...env },
          planted: state.planted,
          isNew: kept === undefined,
        }),
      );
    });
  } finally {
    await server.stop();
  }
}

/** The server of a command that was killed needs a moment to stop. */
async function startKept(dataFolder: string): Promise<PostgresServer> {
  for (let tries = 10; ; tries--) {
    try {
      return await startPostgres({ dataFolder });
    } catch (error) {
      if (tries === 0 || !String(error).includes('in use')) throw error;
      await sleep(500);
    }
  }
}

async function withDatabase<T>(serverUrl: string, body: (sql: postgres.Sql, url: string) => Promise<T>): Promise<T> {
  const url = new URL(serverUrl);
  url.pathname = '/demo';
  await createDatabase(serverUrl);
  const sql = postgres(url.href, { onnotice: () => undefined, max: 2 });
  try {
    return await body(sql, url.href);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function createDatabase(serverUrl: string): Promise<void> {
  const sql = postgres(serverUrl, { onnotice: () => undefined, max: 1 });
  try {
    const there = await sql`select from pg_database where datname = 'demo'`;
    if (there.length === 0) await sql`create database demo`;
  } finally {
    await sql.end();
  }
}

async function begin(folder: string, sql: postgres.Sql, say: (text: string) => void): Promise<State> {
  say('Writing a month of 200 customers, and planting the faults …');
  const now = new Date();
  await sql.unsafe(await readFile(new URL('../support/host.sql', import.meta.url), 'utf8'));
  const state = { clock: now.toISOString(), ...(await fill(sql, now)) };
  await sql`analyze`;
  await writeState(folder, state);
  return state;
}

async function moveClock(folder: string, sql: postgres.Sql, state: State): Promise<State> {
  const now = new Date();
  await keepInFlight(sql, state.inFlight, now.getTime() - Date.parse(state.clock));
  const moved = { ...state, clock: now.toISOString() };
  await writeState(folder, moved);
  return moved;
}

async function readState(folder: string): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all. */
async function writeState(folder: string, state: State): Promise<void> {
  const draft = join(folder, 'state.json.new');
  await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
  await rename(draft, join(folder, 'state.json'));
}
