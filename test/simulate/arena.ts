import postgres from 'postgres';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { openCustodians, type Custodians } from '../support/custodians.ts';
import { createDatabase, dropDatabase, emptyTables } from '../support/database-server.ts';
import { withoutConstraints } from '../support/ledger.ts';
import { startServer } from '../support/sandbox-server.ts';
import { Countdown } from './countdown.ts';
import { startLineCutter, type LineCutter } from './line-cutter.ts';
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
  /** The ids of what it took, in order. */
  ids: string[];
}

/** Gives each play an arena that nobody was in: one database, whose tables are emptied before it. */
export async function withArena<T>(
  serverUrl: string,
  template: string,
  body: (inArena: (play: (arena: Arena) => Promise<void>) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { hook, close } = await startHook();
  const { name, url } = await createDatabase(serverUrl, 'recon_simulate', template);
  const sql = postgres(url, { onnotice: () => undefined, max: 3 });
  const database = openDatabase(url, { connections: 1 });
  const countdown = new Countdown();
  const line = await startLineCutter(url, () => {
    countdown.count();
  });
  const clock = { now: storyBegins };
  const custodians = await openCustodians(() => clock.now);
  try {
    await sql`update reconciliation_migrations set applied_at = ${storyBegins}`; // before, nobody expected a run
    await withoutConstraints(sql); // an application that breaks is not held back by them
    return await body(async (play) => {
      Object.assign(hook, { isDeaf: false, ids: [] });
      countdown.rest();
      line.mend();
      await emptyTables(sql);
      empty(custodians);
      await play({ sql, database, line, countdown, hook, custodians, clock });
    });
  } finally {
    await line.close();
    await close();
    await custodians.close();
    await database.end({ timeout: 1 });
    await sql.end({ timeout: 1 });
    await dropDatabase(serverUrl, name);
  }
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
    handle: ({ headers }) => {
      if (!hook.isDeaf) hook.ids.push(headers['webhook-id'] ?? '');
      return { status: hook.isDeaf ? 503 : 200, headers: {}, body: '' };
    },
    tooMany: () => ({ status: 429, headers: {}, body: '' }),
    headers: () => ({}),
  });
  const hook: Hook = { url, isDeaf: false, ids: [] };
  return { hook, close };
}
