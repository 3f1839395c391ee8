import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { startLineCutter, type LineCutter } from '../simulate/line-cutter.ts';
import { createDatabase, dropDatabase } from '../support/database-server.ts';
import { withoutCustodians } from '../support/world.ts';
import { booksAt, type Holdings } from './books.ts';
import { Moments } from './moments.ts';
import { startOthers, type Others, type Received } from './others.ts';

const binary = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

/** Where runs are struck: each on its own copy of the books, among the same custodians and targets. */
export interface Stage {
  moments: Moments;
  /** What came to the targets since the scene began, in order. */
  received: Received;
  /** What nobody may be shown. */
  secrets: readonly string[];
  withScene: <T>(body: (scene: Scene) => Promise<T>) => Promise<T>;
}

/** One copy of the books. */
export interface Scene {
  sql: postgres.Sql;
  /** Between recon and the database. */
  line: LineCutter;
  /** Starts a run of that type, with variables of its own. */
  start: (type: 'daily' | 'manual', own?: Record<string, string>) => Run;
}

/** A real process. */
export interface Run {
  child: ChildProcess;
  ended: Promise<Ended>;
}

export interface Ended {
  /** Null: it was killed. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** On stdout and stderr. */
  said: string;
}

/**
 * Fills a database on that server, lets a first run see it, and gives `body` a stage on which each scene is a copy.
 * `own` are variables of all runs there.
 */
export async function withStage<T>(
  serverUrl: string,
  template: string,
  body: (stage: Stage) => Promise<T>,
  own: Record<string, string> = {},
): Promise<T> {
  const moments = new Moments();
  const filled = await createDatabase(serverUrl, 'recon_faults', template);
  const others = await startOthers(moments);
  try {
    others.hold(await fill(filled.url, others.env));
    const env = { ...others.env, ...own };
    return await body({
      moments,
      received: others.received,
      secrets: [...others.secrets, ...passwordOf(serverUrl)],
      withScene: (play) => inScene({ serverUrl, template: filled.name, moments, others, env }, play),
    });
  } finally {
    await others.close();
    await dropDatabase(serverUrl, filled.name);
  }
}

/** Some servers want none. */
function passwordOf(url: string): string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [decodeURIComponent(password)];
}

/** Books that one run has seen, and what happened since. Returns what is with the custodians now. */
async function fill(url: string, env: Record<string, string>): Promise<Holdings> {
  const books = booksAt(new Date());
  return withSql(url, async (sql) => {
    await books.begin(sql);
    await start('manual', { ...env, DATABASE_URL: url, RECONCILIATION_CHECKS: withoutCustodians }).ended;
    return books.goOn(sql);
  });
}

interface Setting {
  serverUrl: string;
  template: string;
  moments: Moments;
  others: Others;
  env: Record<string, string>;
}

async function inScene<T>(
  { serverUrl, template, moments, others, env }: Setting,
  play: (scene: Scene) => Promise<T>,
): Promise<T> {
  others.forget();
  const { name, url } = await createDatabase(serverUrl, 'recon_scene', template);
  const line = await startLineCutter(url, (message) => moments.message(message));
  try {
    return await withSql(url, (sql) =>
      play({ sql, line, start: (type, own) => start(type, { ...env, ...own, DATABASE_URL: line.url }) }),
    );
  } finally {
    await line.close();
    await dropDatabase(serverUrl, name);
  }
}

function start(type: string, env: Record<string, string>): Run {
  const child = spawn(process.execPath, [binary, 'run', '--type', type], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C stops us after this run, and is no fault of it
  });
  return { child, ended: endOf(child, Promise.all([text(child.stdout), text(child.stderr)])) };
}

async function endOf(child: ChildProcess, said: Promise<string[]>): Promise<Ended> {
  const [texts] = await Promise.all([said, once(child, 'close')]);
  return { exitCode: child.exitCode, signal: child.signalCode, said: texts.join('') };
}

async function withSql<T>(url: string, body: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { onnotice: () => undefined, max: 2 });
  try {
    return await body(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
