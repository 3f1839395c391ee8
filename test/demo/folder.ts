import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, mkdir, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../../src/operator-error.ts';

const uid = process.getuid?.() ?? 0;

/** PostgreSQL refuses to run as root and runs as `nobody`, who must pass through the folder, but not look into it. */
const folderMode = uid === 0 ? 0o711 : 0o700;

/** Where this checkout's demo keeps its state, for this user; made if it is missing. */
export async function demoFolder(): Promise<string> {
  const checkout = fileURLToPath(new URL('../..', import.meta.url));
  const hash = createHash('sha256').update(checkout).digest('hex').slice(0, 12);
  const folder = join(await temporaryFolder(), `recon-demo-${uid}-${hash}`);
  await mkdir(folder, { recursive: true, mode: folderMode });
  const made = await lstat(folder);
  // the name can be guessed, and everybody may write to /tmp
  if (!made.isDirectory() || made.uid !== uid)
    throw new OperatorError(78, `${folder} belongs to somebody else.`, 'Set TMPDIR to a folder of your own.');
  await chmod(folder, folderMode);
  return folder;
}

/** As root, one that `nobody` can enter: TMPDIR may be root's own. */
async function temporaryFolder(): Promise<string> {
  return uid !== 0 || (await everybodyEnters(tmpdir())) ? tmpdir() : '/tmp';
}

async function everybodyEnters(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  return path === dirname(path) || everybodyEnters(dirname(path));
}

const waitSeconds = 15;

/**
 * Runs `body` while no other demo command of this checkout runs; waits a little for one that does. The lock is a
 * listening socket: however its holder ends, nobody listens any more.
 * @throws OperatorError if the other one takes long.
 */
export async function withFolderLocked<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const socket = join(folder, 'lock');
  for (let tries = waitSeconds * 5; ; tries--) {
    const release = await listenOn(socket);
    if (release) return body().finally(release);
    if (tries === 0)
      throw new OperatorError(4, 'Another demo command runs in this checkout.', 'Wait until it has ended, or stop it.');
    await sleep(200);
  }
}

/** Undefined if somebody else listens there. */
async function listenOn(socket: string): Promise<(() => Promise<void>) | undefined> {
  if (await answers(socket)) return undefined;
  await rm(socket, { force: true }); // left behind by one that was killed
  const server = createServer((connection) => connection.destroy());
  try {
    await once(server.listen(socket), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return async () => {
    server.close();
    await once(server, 'close');
  };
}

async function answers(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
