import postgres from 'postgres';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { openCustodians, type Custodians } from '../support/custodians.ts';
import { createDatabase, dropDatabase, emptyTables } from '../support/database-server.ts';
import { withoutConstraints } from '../support/ledger.ts';
import { startServer } from '../support/sandbox-server.ts';
import { Countdown } from './countdown.ts';
import { startLineCutter, type LineCutter } from './line-cutter.ts';
import { inStoryTime, keepStoryTime } from './story-time.ts';
import { storyBegins } from './story.ts';

/** Where one story is played. */
export interface Arena {
  sql: postgres.Sql;
  /** The same database, as recon reads it. */
  database: Database;
  /** Between recon and the database. */
  line: LineCutter;
  /** Counts what goes through the line. */
  countdown: Countdown;
  hook: Hook;
  custodians: Custodians;
  /** By which the custodians go. */
  clock: { now: Date };
}

/** A webhook that takes whatever comes, unless it is deaf. */
export interface Hook {
  url: string;
  isDeaf: boolean;
  /** What it took, in order. */
  heard: { id: string; body: string }[];
}

/** Gives each play an arena that nobody was in: one database, whose tables are emptied before it. */
export async function withArena<T>(
  serverUrl: string,
  template: string,
  body: (inArena: (play: (arena: Arena) => Promise<void>) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { name, url } = await createDatabase(serverUrl, 'recon_simulate', template);
  try {
    const { arena, close } = await openArena(url);
    try {
      return await body(async (play) => {
        await clear(arena);
        await play(arena);
      });
    } finally {
      await close();
    }
  } finally {
    await dropDatabase(serverUrl, name);
  }
}

async function openArena(url: string): Promise<{ arena: Arena; close: () => Promise<void> }> {
  const sql = postgres(url, { onnotice: () => undefined, max: 3 });
  await sql`update reconciliation_migrations set applied_at = ${storyBegins}`; // before, nobody expected a run
  await withoutConstraints(sql); // an application that breaks is not held back by them
  await keepStoryTime(sql);
  const countdown = new Countdown();
  const line = await startLineCutter(url, (message) => {
    message.bytes = inStoryTime(message.bytes);
    countdown.count();
  });
  const clock = { now: storyBegins };
  const [hook, custodians] = [await startHook(), await openCustodians(() => clock.now)];
  const database = openDatabase(url, { connections: 1 });
  const close = async () => {
    for (const one of [line, hook, custodians]) await one.close();
    for (const pool of [database, sql]) await pool.end({ timeout: 1 });
  };
  return { arena: { sql, database, line, countdown, hook: hook.hook, custodians, clock }, close };
}

async function clear({ sql, line, countdown, hook, custodians }: Arena): Promise<void> {
  Object.assign(hook, { isDeaf: false, heard: [] });
  countdown.rest();
  line.mend();
  await emptyTables(sql);
  empty(custodians);
}

function empty({ circle, alpaca }: Custodians): void {
  circle.wallets.clear();
  alpaca.accounts.clear();
  for (const list of [circle.transactions, circle.faults, circle.log, alpaca.activities, alpaca.faults, alpaca.log])
    list.length = 0;
}

async function startHook(): Promise<{ hook: Hook; close: () => Promise<void> }> {
  const { url, close } = await startServer({
    rateLimit: undefined,
    handle: ({ headers, body }) => {
      if (!hook.isDeaf) hook.heard.push({ id: headers['webhook-id'] ?? '', body });
      return { status: hook.isDeaf ? 503 : 200, headers: {}, body: '' };
    },
    tooMany: () => ({ status: 429, headers: {}, body: '' }),
    headers: () => ({}),
  });
  const hook: Hook = { url, isDeaf: false, heard: [] };
  return { hook, close };
}
