import type { Config } from '../config.ts';
import { inTransaction, withDatabase, type Transaction } from '../database/database.ts';
import { assertMigrated } from '../migrations/assert-migrated.ts';
import { pushMetrics } from '../metrics/pushgateway.ts';
import type { ScheduledType } from '../schedule/schedule.ts';
import { lockTimeoutMs } from './timeout.ts';
import type { World } from '../world.ts';

/**
 * What a scheduled run does that finds RECONCILIATION_ENABLED=false: it remembers it, so that what was due then was not
 * missed, and pushes the metrics, which say so. Throws what a run would throw about the database.
 */
export async function standDown(config: Config, type: ScheduledType, world: World): Promise<void> {
  const pool = { connections: 1, signal: world.signal, lockTimeoutMs: lockTimeoutMs(config) };
  await withDatabase(config.databaseUrl, pool, async (database) => {
    const schema = await assertMigrated(database, config.schema);
    await inTransaction(database, 'read write', (noting) => noteSwitchedOff(noting, schema, type, world.now()));
    await pushMetrics(database, schema, config, world);
  });
}

async function noteSwitchedOff(
  transaction: Transaction,
  schema: string,
  type: ScheduledType,
  now: Date,
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_switched_off`)} (run_type, found_at)
    values (${type}, ${now})
    on conflict (run_type, found_at) do nothing
  `;
}
