import type { Config } from '../config.ts';
import type { Database, DatabaseOptions, Transaction } from '../database/database.ts';
import type { World } from '../world.ts';
import { tell } from './print.ts';

/** A database whose schema holds the tables of recon, all migrations applied. */
export interface Store {
  database: Database;
  schema: string;
  /** Its environment is shown, so that nobody resolves in the wrong database. */
  config: Config;
}

/** Gives `body` the store that the environment names. Throws an OperatorError (78) if its migrations are missing. */
export async function withStore<T>(world: World, body: (store: Store) => Promise<T>): Promise<T> {
  const { parseConfig } = await import('../config.ts');
  const { withDatabase } = await import('../database/database.ts');
  const { assertMigrated } = await import('../migrations/assert-migrated.ts');
  const { lockTimeoutMs } = await import('../run/timeout.ts');
  const config = parseConfig(world.env);
  const pool = { connections: 2, ...waitsOf(world), lockTimeoutMs: lockTimeoutMs(config) };
  return withDatabase(config.databaseUrl, pool, async (database) =>
    body({ database, schema: await assertMigrated(database, config.schema), config }),
  );
}

/** How a command waits for a database: until somebody interrupts it, and saying whose lock it waits for. */
export function waitsOf(world: World): Required<Pick<DatabaseOptions, 'signal' | 'waiting'>> {
  let told = '';
  const waiting = (holder: string) => {
    if (holder === told) return; // as before a transaction that is tried again
    told = holder;
    void tell(world, `recon: waiting, for a minute at most, for a lock of ${holder}\n`);
  };
  return { signal: world.signal, waiting };
}

/** What a command reads, in one transaction. */
export interface Reading extends Pick<Store, 'schema' | 'config'> {
  transaction: Transaction;
}

/**
 * Gives `body` what stands in the store, and no right to change it. What is not read bit by bit is printed afterwards:
 * whoever reads it may take their time, and a transaction holds up migrations and vacuum.
 */
export async function inReading<T>(
  { database, schema, config }: Store,
  body: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { inReadOnly } = await import('../database/database.ts');
  const { letIdle } = await import('../database/held-lock.ts');
  return inReadOnly(database, async (transaction) => {
    await letIdle(transaction);
    return body({ transaction, schema, config });
  });
}

/** Both, for a command that only shows. */
export function withReading<T>(world: World, body: (reading: Reading) => Promise<T>): Promise<T> {
  return withStore(world, (store) => inReading(store, body));
}

/**
 * To be called when somebody has changed exceptions by hand: the targets of alerts hear what is reopened, PagerDuty
 * also what is over or taken up, and the metrics follow. What goes wrong with that is said on stderr, and the next run makes up for it.
 */
export async function makeChangeKnown({ database, schema, config }: Store, world: World): Promise<void> {
  if (config.alerts.targets.length === 0 && config.pushgatewayUrl === undefined) return;
  const { announceActions } = await import('../alerts/announce.ts');
  const { makeKnown } = await import('../run/make-known.ts');
  const { createMask } = await import('../secrets.ts');
  const mask = createMask(world.env);
  const trouble = (_event: string, error: unknown) => {
    void tell(world, mask(`recon: ${error instanceof Error ? error.message : String(error)}\n`));
  };
  await announceActions(database, schema, config, { now: world.now(), mask }).catch((error: unknown) => {
    trouble('alerts.failed', error);
  });
  await makeKnown({ config, world, mask, listener: { trouble } }, database, schema);
}
