import { setTimeout as sleep } from 'node:timers/promises';
import { inReadOnly, inSavepoint, type Database, type Transaction } from '../database/database.ts';
import { holderOf, isFree, sessionsHolding, tryLock } from '../database/held-lock.ts';
import { databaseProblem } from '../database/problem.ts';
import { describeDuration } from '../duration.ts';
import { OperatorError } from '../operator-error.ts';

const retryMs = 500;

/** How long another run is waited for, and who is told when the waiting begins. */
export interface Patience {
  waitMs: number;
  signal: AbortSignal;
  /** `holder`: whose the lock is. */
  waiting: (holder: string) => void;
}

/**
 * Runs `body` while holding the lock of this schema's runs, on a connection of its own: it works through PgBouncer and is
 * released when the process dies, however it dies. Where that connection is lost it throws at once, and aborts what `body`
 * was given. Throws an OperatorError (4) if another run still holds the lock after `waitMs`.
 */
export async function withRunLock<T>(
  database: Database,
  schema: string,
  { waitMs, signal, waiting }: Patience,
  body: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const name = lockOf(schema);
  const holder = () => inReadOnly(database, (seen) => holderOf(seen, name));
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    const attempt = await tryWithLock(database, name, body);
    if (attempt.held) return attempt.result;
    if (waitedMs >= waitMs) throw heldByAnother(schema, await holder(), waitMs);
    if (waitedMs === 0) waiting(await holder());
    await sleep(retryMs, undefined, { signal });
  }
}

/** Whether it is certain that no run is under way: on a replica (`isFree`), or where pg_locks is hidden, nothing is. */
export async function isNoneUnderWay(transaction: Transaction, schema: string): Promise<boolean> {
  try {
    return await inSavepoint(transaction, (savepoint) => isFree(savepoint, lockOf(schema)));
  } catch (error) {
    if (databaseProblem(error)?.code === '42501') return false;
    throw error;
  }
}

/**
 * The numbers of the sessions under whose lock a run of any schema of this database is under way: they write nothing. None
 * where pg_locks is hidden.
 */
export async function sessionsOfRuns(transaction: Transaction): Promise<string[]> {
  try {
    return await inSavepoint(transaction, (savepoint) =>
      sessionsHolding(
        savepoint,
        savepoint`select ${lockOf('')} || namespace.nspname as name from pg_catalog.pg_namespace as namespace`,
      ),
    );
  } catch (error) {
    if (databaseProblem(error)?.code === '42501') return [];
    throw error;
  }
}

function lockOf(schema: string): string {
  return `recon run ${schema}`;
}

type Attempt<T> = { held: true; result: T } | { held: false };

async function tryWithLock<T>(
  database: Database,
  name: string,
  body: (lost: AbortSignal) => Promise<T>,
): Promise<Attempt<T>> {
  const lost = new AbortController();
  try {
    return await inReadOnly<Attempt<T>>(database, async (transaction) =>
      (await tryLock(transaction, name)) ? { held: true, result: await body(lost.signal) } : { held: false },
    );
  } catch (error) {
    lost.abort(error); // another run may hold it by now
    throw error;
  }
}

function heldByAnother(schema: string, holder: string, waitedMs: number): OperatorError {
  const next =
    waitedMs === 0
      ? 'There is one run at a time, dry runs too: wait for it to end, or give --wait 15m.'
      : `It did not end within ${describeDuration(waitedMs)}. If it hangs, end its process: the lock goes with it.`;
  return new OperatorError(
    4,
    `Another run holds the lock of schema ${schema}, ${holder}; nothing was read or written.`,
    next,
  );
}
