import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

/** A server and a streaming replica of it, both real, both gone after `stop`. */
export interface Replicated {
  primary: PostgresServer;
  replica: PostgresServer;
  stop: () => Promise<void>;
}

/** Starts the two within a few seconds: the replica begins as a copy of the data of a server that was stopped in between. */
export async function startReplicated(): Promise<Replicated> {
  const folder = await mkdtemp('/tmp/recon-replicated-');
  await chmod(folder, 0o755); // the server’s user is another than root
  const [first, second] = [join(folder, 'primary/data'), join(folder, 'replica/data')];
  await (await startPostgres({ dataFolder: first })).stop();
  await mkdir(dirname(second));
  await promisify(execFile)('cp', ['-Rp', first, second]);
  await writeFile(join(second, 'standby.signal'), '');
  const primary = await startPostgres({ dataFolder: first });
  const { hostname, port, password } = new URL(primary.url);
  const from = `host=${hostname} port=${port} user=postgres password=${password}`;
  const replica = await startPostgres({ dataFolder: second, settings: { primary_conninfo: from } });
  return {
    primary,
    replica,
    stop: async () => {
      await Promise.all([replica.stop(), primary.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}
