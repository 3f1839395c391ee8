import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { inTransaction, withDatabase, type Database, type Transaction } from '../database/database.ts';
import { OperatorError } from '../operator-error.ts';
import { hostTables } from './host-tables.ts';

/**
 * Gives `body` a connection as the role of corrections. Throws an OperatorError (78) if CORRECTION_DATABASE_URL leads
 * elsewhere than to the tables of `main`, the pool of DATABASE_URL: what was found in one database is never written into
 * another.
 */
export async function withCorrectionDatabase<T>(
  { databaseUrl, variable }: Config['corrections'],
  main: Database,
  signal: AbortSignal,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  return withDatabase(databaseUrl, { connections: 1, signal, variable }, async (database) => {
    if (variable === 'CORRECTION_DATABASE_URL') await assertSame(main, database);
    return body(database);
  });
}

/**
 * One connection holds a lock under a name that nobody else knows, and the other cannot have it: such a lock belongs to
 * one database of one running server, and not to a copy of it, however alike, or a replica.
 */
async function assertSame(main: Database, other: Database): Promise<void> {
  const name = `recon corrections ${randomUUID()}`;
  await inTransaction(main, 'read only', async (transaction) => {
    await tryLock(transaction, name);
    const ours = await tablesSeenBy(transaction);
    await inTransaction(other, 'read only', async (correcting) => {
      if (await tryLock(correcting, name))
        throw elsewhere('names another database than DATABASE_URL', 'Let both name the same database, also its host.');
      if ((await tablesSeenBy(correcting)) !== ours)
        throw elsewhere(
          'leads to other tables of the host than DATABASE_URL',
          'Give both roles the same search_path and the same rights to use its schemas.',
        );
    });
  });
}

async function tryLock(transaction: Transaction, name: string): Promise<boolean> {
  const [row] = await transaction<{ held: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}::text, 0)) as held
  `;
  return row?.held === true;
}

/** Which tables the names of the host's tables mean to a role. */
async function tablesSeenBy(transaction: Transaction): Promise<string> {
  const [row] = await transaction<{ tables: string }[]>`
    select array_agg(to_regclass(host.name)::oid order by host.name)::text as tables
    from unnest(${[...hostTables]}::text[]) as host (name)
  `;
  return row?.tables ?? '';
}

function elsewhere(what: string, hint: string): OperatorError {
  return new OperatorError(78, `CORRECTION_DATABASE_URL ${what}: nothing is corrected.`, hint);
}
