import { totalmem } from 'node:os';
import { startPostgres } from '../support/postgres-server.ts';
import type { BenchOptions } from './options.ts';

/** Gives `body` the URL of the server that the options ask for, and stops it if it was started here. */
export async function withServer<T>(
  { keep, server }: Pick<BenchOptions, 'keep' | 'server'>,
  body: (url: string) => Promise<T>,
): Promise<T> {
  if (server !== undefined) return body(server);
  const started = await startPostgres({ settings: settings(), ...(keep !== undefined && { dataFolder: keep }) });
  try {
    return await body(started.url);
  } finally {
    await started.stop();
  }
}

/** Everything else stays at PostgreSQL's default: above all the number of parallel workers. */
function settings(): Record<string, string> {
  const quarterOfMemory = Math.floor(totalmem() / 4 / 2 ** 20); // as PostgreSQL's documentation advises
  return {
    shared_buffers: `${quarterOfMemory}MB`,
    max_wal_size: '8GB', // else the fill waits for checkpoints
  };
}
