import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { databaseProblem, isUnreachable } from '../database/problem.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { OperatorError } from '../operator-error.ts';
import type { Mask } from '../secrets.ts';
import type { Source } from '../source.ts';
import type { World } from '../world.ts';
import { Failure } from './correction.ts';
import { Site } from './site.ts';
import { assertNotStopped } from './switch.ts';

/** Who writes into the host's tables, and as whom. */
export interface Desk {
  /** A connection as the role of corrections. */
  database: Database;
  schema: string;
  config: Config;
  source: Source;
  world: Pick<World, 'now' | 'random' | 'signal' | 'asOf' | 'host'>;
  mask: Mask;
}

/** The transaction of a correction, and what it sees. */
export interface Opened {
  transaction: Transaction;
  site: Site;
  /** RFC 3339: when it is done. */
  at: string;
}

/** So often a deadlock or a lock that is not to be had is tried again, after the first time. */
const retries = 3;

/**
 * Runs `body` in a transaction that may write into the host's tables: nobody changes exceptions or stops corrections
 * meanwhile, and it waits for nobody for long. Throws what `body` throws; a Failure where the database or the host said
 * no; an OperatorError (78) where the role may not write, or the mapping cannot be executed.
 */
export async function inCorrection<T>(desk: Desk, body: (opened: Opened) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    desk.world.signal.throwIfAborted();
    try {
      return await inTransaction(desk.database, 'read write', async (transaction) =>
        body(await open(desk, transaction)),
      );
    } catch (error) {
      const code = databaseProblem(error)?.code ?? '';
      if (!passing.has(code) || attempt === retries) throw explained(error, desk);
      await sleep(50 * 2 ** attempt * (0.5 + desk.world.random()), undefined, { signal: desk.world.signal });
    }
  }
}

/** The same, rolled back in the end: what `body` returns is what would have been. */
export async function inRehearsal<T>(desk: Desk, body: (opened: Opened) => Promise<T>): Promise<T> {
  const enough = new Error('rolled back on purpose');
  let result: { value: T } | undefined;
  await inCorrection(desk, async (opened) => {
    result = { value: await body(opened) };
    throw enough;
  }).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  if (result === undefined) throw new Error('The rehearsal came to no end.');
  return result.value;
}

/**
 * SQLSTATEs (PostgreSQL, appendix A) of what may go better another time: serialization, deadlock, lock timeout. A
 * statement that took too long would hold the host's row as long again.
 */
const passing = new Set(['40001', '40P01', '55P03']);

async function open({ schema, config, source, world }: Desk, transaction: Transaction): Promise<Opened> {
  await lockExceptions(transaction, schema);
  await transaction`set local row_security = off`; // rows that are hidden must be an error, not a smaller sum
  await transaction`set local lock_timeout = '2s'`; // whoever waits in line for the host's row holds up those behind
  await transaction`set local statement_timeout = '5s'`; // with the host’s row in hand
  await transaction`set local idle_in_transaction_session_timeout = '10s'`; // a process that stands still lets go
  await transaction`set local jit = off`;
  await assertNotStopped(transaction, schema);
  const [row] = await transaction<{ as_of: string }[]>`
    select coalesce(${world.asOf?.toISOString() ?? null}::timestamptz, clock_timestamp()) as as_of
  `;
  if (row === undefined) throw new Error('The database gave no time.');
  return { transaction, site: new Site(transaction, source, config, row.as_of), at: world.now().toISOString() };
}

/** What the database said, by its consequence. */
function explained(error: unknown, { config, mask }: Desk): unknown {
  const problem = databaseProblem(error);
  if (problem === undefined || isUnreachable(problem.code)) return error; // nobody knows whether it was committed
  const said = `${mask(problem.message)} (${problem.code})`;
  if (['42501', '25006'].includes(problem.code))
    return new OperatorError(
      78,
      `The role of ${config.corrections.variable} may not write corrections: ${said}.`,
      'Let it be a member of recon_reader, recon_writer and recon_corrector (sql/roles.sql), or switch corrections off.',
      { cause: error },
    );
  if (problem.code.startsWith('42'))
    return new OperatorError(
      78,
      `The mapping’s corrections cannot be executed: ${said}.`,
      'Mend the files in its folder corrections.',
      { cause: error },
    );
  return new Failure(`The database refused it: ${said}.`, { cause: error });
}
