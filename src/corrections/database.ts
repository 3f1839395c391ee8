import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import {
  inReadOnly,
  withDatabase,
  type Database,
  type DatabaseOptions,
  type Transaction,
} from '../database/database.ts';
import { tryLock } from '../database/held-lock.ts';
import { operatorProblem, type UrlVariable } from '../database/problem.ts';
import { OperatorError } from '../operator-error.ts';
import { lockTimeoutMs } from '../run/timeout.ts';
import { hostTables } from './host-tables.ts';

/**
 * Gives `body` a pool as the role of corrections, which is blamed for every database error that `body` throws. Throws
 * an OperatorError (78) if CORRECTION_DATABASE_URL leads elsewhere than to the tables of `main`, the pool of DATABASE_URL:
 * what was found in one database is never written into another.
 */
export async function withCorrectionDatabase<T>(
  config: Pick<Config, 'databaseUrl' | 'corrections' | 'runTimeoutMs'>,
  main: Database,
  waits: Pick<DatabaseOptions, 'signal' | 'waiting'>,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  const { databaseUrl } = config;
  const { databaseUrl: url, variable } = config.corrections;
  const pool = { connections: 2, ...waits, variable, lockTimeoutMs: lockTimeoutMs(config) };
  return withDatabase(url, pool, async (database) => {
    if (variable === 'CORRECTION_DATABASE_URL')
      await assertSame(
        (look) => inReadOnly(main, look).catch(blame(databaseUrl, 'DATABASE_URL')),
        (look) => inReadOnly(database, look).catch(blame(url, variable)),
      );
    return body(database);
  });
}

function blame(url: string, variable: UrlVariable): (error: unknown) => never {
  return (error) => {
    throw operatorProblem(error, url, variable) ?? error;
  };
}

type Look = (body: (transaction: Transaction) => Promise<void>) => Promise<void>;

/**
 * One connection holds a lock under a name that nobody else knows, and the other cannot have it: such a lock belongs to
 * one database of one running server, and not to a copy of it, however alike, or a replica.
 */
async function assertSame(inMain: Look, inOther: Look): Promise<void> {
  const name = `recon corrections ${randomUUID()}`;
  await inMain(async (transaction) => {
    await tryLock(transaction, name);
    const ours = await tablesSeenBy(transaction);
    await inOther(async (correcting) => {
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
