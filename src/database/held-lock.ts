import { inSavepoint, type Transaction } from './database.ts';
import { isLockTimeout } from './problem.ts';
import { OperatorError } from '../operator-error.ts';
import { sessionColumns, sessionText, type Session } from './session.ts';

/**
 * Takes a lock that lasts as long as the transaction, which may idle while something else is done under it, and dies
 * with the process. Throws an OperatorError (4) that names the holder if somebody else holds it for longer than `waitMs`,
 * which are those of a table unless others are given.
 */
export async function holdLock(transaction: Transaction, name: string, waitMs?: number): Promise<void> {
  await letIdle(transaction);
  const holder = await waitForLock(transaction, name, waitMs);
  if (holder === undefined) return;
  throw new OperatorError(4, `The lock "${name}" is held by ${holder}.`, 'Try again in a minute.');
}

/**
 * Takes a lock that lasts as long as the transaction; tables are waited for as long as before. Returns who holds it if
 * somebody else does for longer than `waitMs`, or than a table is waited for.
 */
export async function waitForLock(
  transaction: Transaction,
  name: string,
  waitMs?: number,
): Promise<string | undefined> {
  try {
    await inSavepoint(transaction, async (savepoint) => {
      const [own] = await savepoint<{ lock_timeout: string }[]>`show lock_timeout`;
      if (waitMs !== undefined) await savepoint`select set_config('lock_timeout', ${`${waitMs}ms`}, true)`;
      await savepoint`select pg_advisory_xact_lock(${keyOf(savepoint, name)})`;
      await savepoint`select set_config('lock_timeout', ${own?.lock_timeout ?? null}, true)`;
    });
    return undefined;
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    return holderOf(transaction, name);
  }
}

/** Takes the same lock if nobody holds it. Returns whether it did. */
export async function tryLock(transaction: Transaction, name: string): Promise<boolean> {
  await letIdle(transaction);
  const [row] = await transaction<{ taken: boolean }[]>`
    select pg_try_advisory_xact_lock(${keyOf(transaction, name)}) as taken
  `;
  return row?.taken === true;
}

/**
 * The host may end transactions that idle or take long; the system tells the server (of Linux: others may refuse it)
 * within two minutes that a machine is gone, not after hours.
 */
export async function letIdle(transaction: Transaction): Promise<void> {
  await transaction`
    select set_config(own.name, own.setting, true)
    from (
      values
        ('idle_in_transaction_session_timeout', '0', true),
        ('transaction_timeout', '0', current_setting('transaction_timeout', true) is not null), -- from PostgreSQL 17 on
        ('tcp_keepalives_idle', '60', strpos(version(), 'linux') > 0),
        ('tcp_keepalives_interval', '10', strpos(version(), 'linux') > 0),
        ('tcp_keepalives_count', '6', strpos(version(), 'linux') > 0)
    ) as own (name, setting, is_known)
    where own.is_known
  `;
}

/** Who holds the lock: see `sessionText`. */
export async function holderOf(transaction: Transaction, name: string): Promise<string> {
  const [holder] = await transaction<Session[]>`
    select ${sessionColumns(transaction)}
    from ${holdings(transaction, name)} as lock
    inner join pg_catalog.pg_stat_activity as activity on activity.pid = lock.pid
  `;
  return holder === undefined ? 'a session that has ended by now' : sessionText(holder);
}

/** Whether nobody holds the lock. Of a replica that cannot be told: it knows no such locks of the main database. */
export async function isFree(transaction: Transaction, name: string): Promise<boolean> {
  const [row] = await transaction<{ free: boolean }[]>`
    select not pg_is_in_recovery() and not exists (select from ${holdings(transaction, name)} as lock) as free
  `;
  return row?.free === true;
}

/**
 * The numbers of the sessions that hold one of these locks: `names` selects them as `name`. Throws where a server hides
 * pg_locks.
 */
export async function sessionsHolding(transaction: Transaction, names: ReturnType<typeof keyOf>): Promise<string[]> {
  const rows = await transaction<{ pid: string }[]>`
    select lock.pid::text as pid from ${holdingsOf(transaction, names)} as lock order by lock.pid
  `;
  return rows.map(({ pid }) => pid);
}

function holdings(transaction: Transaction, name: string) {
  return holdingsOf(transaction, transaction`select ${name}::text as name`);
}

/** The sessions that hold the locks. Anybody may see them, unless a server hides pg_locks. */
function holdingsOf(transaction: Transaction, names: ReturnType<typeof keyOf>) {
  return transaction`
    (
      select lock.pid
      from (select hashtextextended(named.name, 0) as key from (${names}) as named) as wanted
      inner join pg_catalog.pg_locks as lock
        -- how the two halves of a key of 64 bits stand there: PostgreSQL, "pg_locks"
        on lock.classid = ((wanted.key >> 32) & 4294967295)::oid and lock.objid = (wanted.key & 4294967295)::oid
      inner join pg_catalog.pg_database as here on here.oid = lock.database and here.datname = current_database()
      where lock.locktype = 'advisory' and lock.objsubid = 1 and lock.granted
    )
  `;
}

/** A lock of PostgreSQL has a number for a name. */
function keyOf(transaction: Transaction, name: string) {
  return transaction`hashtextextended(${name}::text, 0)`;
}
