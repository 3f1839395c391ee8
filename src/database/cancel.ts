import { inReadOnly, whenOver, type Database, type Transaction } from './database.ts';

/**
 * Runs `body`, and cancels whatever the transaction does in it once `signal` is aborted. PostgreSQL goes on with a
 * statement whose client lost interest: it has to be told, from another connection.
 */
export async function cancelledBy<T>(
  signal: AbortSignal,
  database: Database,
  transaction: Transaction,
  body: () => Promise<T>,
): Promise<T> {
  const [row] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const cancel = () => {
    const told = inReadOnly(database, (other) => other`select pg_cancel_backend(${row?.pid ?? 0})`);
    told.catch(() => undefined); // gone already: nothing to cancel
  };
  let insisting: NodeJS.Timeout | undefined;
  const insist = () => {
    cancel();
    insisting = setInterval(cancel, 200); // between two statements there is nothing to cancel: the next one is
  };
  const desist = () => {
    clearInterval(insisting);
    signal.removeEventListener('abort', insist);
  };
  if (signal.aborted) insist();
  signal.addEventListener('abort', insist, { once: true });
  whenOver(transaction, desist); // where its connection is lost, body never ends
  try {
    return await body();
  } finally {
    desist();
  }
}
