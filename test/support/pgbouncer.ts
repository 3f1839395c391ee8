import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A real PgBouncer in front of the server of that URL, until the test is over; answers the URL through it. */
export async function startPgBouncer(
  url: string,
  settings: { pool_mode: 'transaction' | 'statement'; default_pool_size?: number },
): Promise<string> {
  const { username, password, port } = new URL(url);
  const folder = await mkdtemp('/tmp/recon-pgbouncer-');
  const listenPort = await freePort();
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: listenPort,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: `${folder}/users`,
    query_wait_timeout: 5,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  await writeFile(`${folder}/users`, `"${username}" "${decodeURIComponent(password)}"\n`);
  await writeFile(`${folder}/ini`, `[databases]\n* = host=127.0.0.1 port=${port}\n[pgbouncer]\n${lines.join('\n')}\n`);
  await chmod(folder, 0o755);
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}; // it refuses to run as root
  const bouncer = spawn('pgbouncer', [`${folder}/ini`], { ...nobody, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    bouncer.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });
  await lineWith(bouncer.stderr, 'process up');
  const through = new URL(url);
  through.port = String(listenPort);
  return through.href;
}

async function lineWith(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  const log: string[] = [];
  for await (const line of createInterface(stream)) {
    log.push(line);
    if (line.includes(text)) return;
  }
  throw new Error(`PgBouncer ended:\n${log.join('\n')}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
