// Keeps one throw-away PostgreSQL server for the process that started this one (postgres-server.ts): a process of its
// own, so that server and folders are gone even if that process was killed with SIGKILL. Its stdin is the leash: at its
// end the server is stopped and the folder removed. Plain JavaScript, because Node 20 cannot run TypeScript.
//
// argv[2]  {"native": folder with bin, lib and share, "dataFolder": where the data stays, or null,
//           "inMemory": whether data that does not stay may be there, "settings": of the server, beside and before
//           those below}
// stdout   one line: {"url": "postgres://…"} once the server accepts connections, or {"error": "…"}
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const command = (name, ...args) => promisify(execFile)(name, args);

/** PostgreSQL refuses to run as root; 65534 is `nobody` on every system that has one. */
const serverUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const stopSeconds = 5;
const pauseMs = 2000;
const portAttempts = 20;
const memoryRoomBytes = 2 * 2 ** 30; // eight times what `npm test` takes

/** Nothing here has to survive a power cut. LOG ranks above ERROR: the queries that tests make fail are not logged. */
const ownSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_checkpoints: 'off',
};

let stopping = false;
/** The initdb or postgres that runs now. */
let child;

for (const event of ['end', 'close', 'error']) process.stdin.once(event, stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
process.stdout.on('error', () => {}); // whoever started us is gone: stdin says so too
process.stdin.resume();
await keep(JSON.parse(process.argv[2]));
process.exit();

async function keep({ native, dataFolder, inMemory, settings }) {
  const folder = await mkdtemp(join(await temporaryFolder(), 'recon-postgres-'));
  const parent = (inMemory && (await memoryFolder())) || folder;
  try {
    const programs = await copyPrograms(native, folder);
    if (!stopping) await serve(programs, { ...(await prepareData(programs, parent, dataFolder)), settings });
  } catch (error) {
    if (!stopping) say({ error: error.message });
    process.exitCode = 1;
  } finally {
    for (const each of [parent, folder]) await rm(each, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Fast shutdown; SIGKILL if that takes too long. `keep` removes the folder once the child is gone. */
function stop() {
  if (stopping) return;
  stopping = true;
  child?.kill('SIGINT');
  setTimeout(() => child?.kill('SIGKILL'), stopSeconds * 1000).unref();
}

/**
 * Runs the server until it ends, on a port that is free (another process may take it between looking and binding). One
 * that somebody shuts down (SIGINT or SIGQUIT) is started again after a while, as a service manager would.
 */
async function serve(programs, { data, password, settings }) {
  let port = await freePort();
  for (let attempt = 1; ; attempt++) {
    const log = await runServer(programs, data, { ...ownSettings, ...settings, port }, () => {
      say({ url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` });
    });
    const wasShutDown = /received (fast|immediate) shutdown request/.test(log);
    if (wasShutDown && !stopping) await sleep(pauseMs);
    if (stopping) return;
    if (wasShutDown) continue;
    const portTaken = log.includes('could not create any TCP/IP sockets');
    if (!portTaken || attempt >= portAttempts) throw new Error(explain(log, data));
    port = await freePort();
  }
}

/** Answers what the server logged, when it has ended. */
async function runServer(programs, data, settings, ready) {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = run(programs, 'postgres', ['-D', data, ...flags]);
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    if (/ready to accept (read-only )?connections/.test(text)) ready();
    log = (log + text).slice(-20_000);
  });
  await once(server, 'close');
  return log;
}

function explain(log, data) {
  if (!log.includes('"postmaster.pid" already exists')) return `PostgreSQL did not start:\n${log.trim()}`;
  return `The folder ${data} is in use by another PostgreSQL server. If there is none, delete postmaster.pid in it.`;
}

/** The folder with the data, made if there is none yet, and the password of its user `postgres`. */
async function prepareData(programs, parent, dataFolder) {
  if (dataFolder === null) return initialise(programs, join(parent, 'data'));
  const data = resolve(dataFolder);
  await mkdir(dirname(data), { recursive: true });
  await assertEnterable(dirname(data));
  if ((await listing(data)).length === 0) await initialiseAt(programs, data);
  if (!(await listing(data)).includes('recon-password')) {
    throw new Error(`The folder ${data} is not empty, and its content was not made here: choose another.`);
  }
  return { data, password: await readFile(join(data, 'recon-password'), 'utf8') };
}

/** Makes the data beside its place and moves it there whole: a killed initdb leaves nothing that looks like data. */
async function initialiseAt(programs, data) {
  const draft = await mkdtemp(join(dirname(data), `.${basename(data)}-`));
  try {
    await initialise(programs, join(draft, 'data'));
    if (!stopping) await rename(join(draft, 'data'), data);
  } catch (error) {
    // Another process that was started on the same folder was faster; its server will hold the lock.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initialise(programs, data) {
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(dirname(data), 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveToServer(dirname(data));
  const flags = [
    '--auth=scram-sha-256',
    '--username=postgres',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ];
  const initdb = run(programs, 'initdb', ['-D', data, `--pwfile=${passwordFile}`, ...flags]);
  let log = '';
  initdb.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const [code] = await once(initdb, 'close');
  if (code !== 0) throw new Error(`initdb failed:\n${log.trim()}`);
  await rename(passwordFile, join(data, 'recon-password'));
  return { data, password };
}

/**
 * A copy: npm may not have made the links, and the checkout may be in a folder that the server's user cannot enter. Where
 * it can, the thousand small files of `share`, which are only read, are not copied.
 */
async function copyPrograms(native, folder) {
  const programs = join(folder, 'native');
  const parts = await readdir(native);
  const linked = (await enterable(native)) ? parts.filter((part) => part === 'share') : [];
  const copied = parts.filter((part) => !linked.includes(part)).map((part) => join(native, part));
  await mkdir(programs);
  await command('cp', '-RP', ...copied, programs); // five times as fast as fs.cp
  for (const part of linked) await symlink(join(native, part), join(programs, part));
  for (const { source, target } of await links(native)) {
    const made = symlink(basename(source), join(folder, target));
    await made.catch((error) => error.code === 'EEXIST' || Promise.reject(error));
  }
  for (const program of ['initdb', 'postgres']) await chmod(join(programs, 'bin', program), 0o755);
  await giveToServer(folder);
  return programs;
}

/** Links of shared libraries, which an npm package cannot hold: paths that begin with `native/`, in one folder each. */
async function links(native) {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text);
}

async function giveToServer(folder) {
  if (serverUser.uid === undefined) return;
  await command('chown', '-Rh', `${serverUser.uid}:${serverUser.gid}`, folder);
}

/** As root, a folder that the server's user can enter: TMPDIR may be root's own. */
async function temporaryFolder() {
  for (const folder of [tmpdir(), '/tmp']) if (await enterable(folder)) return folder;
  return '/var/tmp';
}

/** A folder in memory where Linux has one with room. The programs are not in it: a container may forbid to run any. */
async function memoryFolder() {
  const { bavail, bsize } = await statfs('/dev/shm').catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize < memoryRoomBytes ? undefined : mkdtemp('/dev/shm/recon-postgres-').catch(() => undefined);
}

async function assertEnterable(folder) {
  if (await enterable(folder)) return;
  throw new Error(
    `PostgreSQL refuses to run as root, and user ${serverUser.uid} cannot enter ${folder}: choose another folder.`,
  );
}

async function enterable(folder) {
  if (serverUser.uid === undefined) return true;
  for (let path = resolve(folder); ; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

async function listing(folder) {
  return readdir(folder).catch((error) => (error.code === 'ENOENT' ? [] : Promise.reject(error)));
}

function run(programs, name, args) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  child = spawn(join(programs, 'bin', name), args, {
    ...serverUser,
    env,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (stopping) child.kill('SIGINT');
  return child;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
