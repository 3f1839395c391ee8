import { databaseProblem } from './problem.ts';
import type { Transaction } from './database.ts';
import { OperatorError } from '../operator-error.ts';

/**
 * Takes a lock that lasts as long as the transaction, which may idle while something else is done under it, and dies
 * with the process. Throws an OperatorError (4) if somebody else holds it for longer than `waitMs`.
 */
export async function holdLock(transaction: Transaction, name: string, waitMs: number): Promise<void> {
  await transaction`set local idle_in_transaction_session_timeout = 0`;
  await transaction`select set_config('lock_timeout', ${`${waitMs}ms`}, true)`;
  try {
    await transaction`select pg_advisory_xact_lock(hashtextextended(${name}::text, 0))`;
  } catch (error) {
    if (databaseProblem(error)?.code !== lockNotAvailable) throw error;
    throw new OperatorError(4, `Another process holds the lock "${name}".`, 'Try again in a minute.', { cause: error });
  }
}

/** SQLSTATE, PostgreSQL appendix A. */
const lockNotAvailable = '55P03';
