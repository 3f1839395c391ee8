import type { Cut } from '../checks/check.ts';
import type { Transaction } from '../database/database.ts';
import { everything, withCut } from '../run/cut.ts';
import { deadlineAfter } from '../run/engine.ts';
import { withDatabases } from '../run/source-database.ts';
import type { Patient } from './examination.ts';

/** A question of a doctor may not take longer; a run's own deadline is another matter. */
const patienceMs = 30_000;

/** Whoever holds a lock for longer is to be named, not waited for. */
export const lockPatienceMs = 2_000;

/** Gives `body` the same read-only cut that the checks of a run see. */
export async function look<T>({ config, source, world }: Patient, body: (cut: Cut) => Promise<T>): Promise<T> {
  const signal = deadlineAfter(patienceMs, world.signal);
  const options = { config, source, scope: everything, asOf: world.asOf, seed: '0', known: {}, signal };
  return withDatabases(config, signal, (databases) =>
    withCut(databases, options, async (cut) => {
      await waitForLocks(cut.transaction, lockPatienceMs);
      return body(cut);
    }),
  );
}

/** From now on in this transaction no lock of somebody else is waited for any longer than that. */
export async function waitForLocks(transaction: Transaction, ms: number): Promise<void> {
  await transaction`select set_config('lock_timeout', ${`${ms}ms`}, true)`;
}
