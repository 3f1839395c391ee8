import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of this process alone that is small enough to be filled; undefined: there is none. */
export const smallDisk = process.env['RECON_SMALL_DISK'];

/** Programs in a mount namespace of their own may mount what nobody else sees: root, and others where Linux lets them. */
const unshare = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps']),
  '--mount',
];

/** Whether this machine allows it. */
export function mayHaveSmallDisk(): boolean {
  const [program = '', ...flags] = unshare;
  return spawnSync(program, [...flags, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0;
}

/** Runs this very program once more, with a `smallDisk`. Answers its exit code. */
export async function againOnSmallDisk(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-faults-'));
  const mounted = 'mount -t tmpfs -o size=500m,mode=711 tmpfs "$RECON_SMALL_DISK" && exec "$@"';
  const [program = '', ...flags] = unshare;
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, RECON_SMALL_DISK: folder };
  const child = spawn(program, [...flags, 'sh', '-c', mounted, 'sh', ...self], { env, stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, passOn);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const ballast = join(smallDisk ?? '', 'ballast');

/** Takes what is left of it, to the last byte. */
export async function fillDisk(): Promise<void> {
  const file = await open(ballast, 'w');
  try {
    for (let bytes = 2 ** 22; bytes > 0; bytes = Math.floor(bytes / 2)) {
      const chunk = Buffer.alloc(bytes);
      while (await file.write(chunk).then(({ bytesWritten }) => bytesWritten === bytes, isFull));
    }
  } finally {
    await file.close();
  }
}

function isFull(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOSPC') return false;
  throw error;
}

export async function freeDisk(): Promise<void> {
  await rm(ballast, { force: true });
}
