import { setTimeout as sleep } from 'node:timers/promises';
import { inTransaction, type Database } from '../database/database.ts';
import { OperatorError } from '../operator-error.ts';

const retryMs = 500;

/** How long another run is waited for, and who is told when the waiting begins. */
export interface Patience {
  waitMs: number;
  signal: AbortSignal;
  waiting: () => void;
}

/**
 * Runs `body` while holding the lock of this schema's runs: a transaction-level advisory lock on a connection of its
 * own, which works through PgBouncer and is released when the process dies, however it dies. Throws an OperatorError
 * (4) if another run still holds it after `waitMs`.
 */
export async function withRunLock<T>(
  database: Database,
  schema: string,
  { waitMs, signal, waiting }: Patience,
  body: () => Promise<T>,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    const attempt = await tryWithLock(database, schema, body);
    if (attempt.held) return attempt.result;
    if (waitedMs >= waitMs)
      throw new OperatorError(
        4,
        `Another run holds the lock of schema ${schema}; nothing was read or written.`,
        'Wait for it to end, or give --wait 15m.',
      );
    if (waitedMs === 0) waiting();
    await sleep(retryMs, undefined, { signal });
  }
}

type Attempt<T> = { held: true; result: T } | { held: false };

async function tryWithLock<T>(database: Database, schema: string, body: () => Promise<T>): Promise<Attempt<T>> {
  return inTransaction<Attempt<T>>(database, 'read only', async (transaction) => {
    // the host may end sessions that idle in a transaction: this one idles on purpose
    await transaction`set local idle_in_transaction_session_timeout = 0`;
    const [row] = await transaction<{ held: boolean }[]>`
      select pg_try_advisory_xact_lock(hashtextextended(${'recon run ' + schema}::text, 0)) as held
    `;
    return row?.held === true ? { held: true, result: await body() } : { held: false };
  });
}
