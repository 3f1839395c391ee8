import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { cancelledBy } from '../database/cancel.ts';
import { inReadOnly, inTransaction, type Database, type Transaction } from '../database/database.ts';
import { databaseProblem, isReadOnly, isUnreachable } from '../database/problem.ts';
import { howToCorrect } from '../database/rights.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { OperatorError } from '../operator-error.ts';
import type { Mask } from '../secrets.ts';
import type { Source } from '../source.ts';
import type { World } from '../world.ts';
import { Failure, Refusal } from './refusal.ts';
import { Site } from './site.ts';
import { isApplied } from './store.ts';
import { assertNotStopped, howToResume, stoppedSentence, switchOf } from './switch.ts';

/** Who writes into the host's tables, and as whom. */
export interface Desk {
  /** A pool as the role of corrections, of two connections at least: one of them cancels what the other does. */
  database: Database;
  schema: string;
  config: Config;
  source: Source;
  world: Pick<World, 'random' | 'signal' | 'asOf' | 'host'>;
  mask: Mask;
}

/** The transaction of a correction, and what it sees. */
export interface Opened {
  transaction: Transaction;
  site: Site;
}

/** So often a deadlock or a lock that is not to be had is tried again, after the first time. */
const retries = 3;

/**
 * Runs `body`, which writes the correction of that id, in a transaction that may write into the host's tables: nobody
 * changes exceptions or stops corrections meanwhile, and it waits for nobody for long. Throws what `body` throws; a Failure
 * where the database or the host said no; an OperatorError (78) where the role may not write, or the mapping cannot be
 * executed; one (3) where the connection was lost, which says so if nobody knows whether the correction was written. Ends
 * at once with the reason of `world.signal`, also where it waits for somebody’s lock.
 */
export async function inCorrection<T>(desk: Desk, id: string, body: (opened: Opened) => Promise<T>): Promise<T> {
  let done: { value: T } | undefined;
  try {
    return await tried(desk, async (opened) => {
      done = undefined; // of an attempt before
      const value = await body(opened);
      done = { value };
      return value;
    });
  } catch (error) {
    // only COMMIT comes after `done`: before it, a lost connection has written nothing
    if (done === undefined || !isLost(error)) throw error;
    await assertCommitted(desk, id, error);
    return done.value;
  }
}

async function tried<T>(desk: Desk, body: (opened: Opened) => Promise<T>): Promise<T> {
  const { database, world } = desk;
  for (let attempt = 0; ; attempt += 1) {
    world.signal.throwIfAborted();
    try {
      return await inTransaction(database, 'read write', (transaction) =>
        cancelledBy(world.signal, database, transaction, async () => body(await open(desk, transaction))),
      );
    } catch (error) {
      const code = databaseProblem(error)?.code ?? '';
      if (code === cancelled) world.signal.throwIfAborted();
      if (!passing.has(code) || attempt === retries) throw explained(error, desk);
      await sleep(50 * 2 ** attempt * (0.5 + world.random()), undefined, { signal: world.signal });
    }
  }
}

/** The same, rolled back in the end: what `body` returns is what would have been. */
export async function inRehearsal<T>(desk: Desk, body: (opened: Opened) => Promise<T>): Promise<T> {
  const enough = new Error('rolled back on purpose');
  let result: { value: T } | undefined;
  await tried(desk, async (opened) => {
    result = { value: await body(opened) };
    throw enough;
  }).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  if (result === undefined) throw new Error('The rehearsal came to no end.');
  return result.value;
}

/**
 * The same for whoever only looks, with no right to write: nothing is locked, and nobody waited for. Throws what
 * `inRehearsal` throws, and the Refusal of a switch that is off.
 */
export async function inLook<T>(desk: Desk, body: (opened: Opened) => Promise<T>): Promise<T> {
  const { database, schema, config, source, world } = desk;
  try {
    return await inReadOnly(database, (transaction) =>
      cancelledBy(world.signal, database, transaction, async () => {
        await limitTimes(transaction);
        const standing = await switchOf(transaction, schema);
        if (standing.stopped) throw new Refusal(stoppedSentence(standing), howToResume);
        return body({
          transaction,
          site: new Site(transaction, source, config, await timeOf(transaction, world), true),
        });
      }),
    );
  } catch (error) {
    throw explained(error, desk);
  }
}

function isLost(error: unknown): boolean {
  return isUnreachable(databaseProblem(error)?.code ?? '');
}

/**
 * Whether what was on its way when the connection was lost was committed, asked on a new one: the record of a correction
 * is a part of its transaction. Waits for what the server still does for the lost connection, which holds the exceptions.
 */
async function assertCommitted({ database, schema, config }: Desk, id: string, cause: unknown): Promise<void> {
  const lost = `The connection of ${config.corrections.variable} was lost while correction ${id} was committed`;
  const isThere = await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    return isApplied(transaction, schema, id);
  }).catch(() => {
    throw new OperatorError(
      3,
      `${lost}, and the database cannot be asked: nobody knows whether it was written.`,
      `When the database answers, \`recon corrections show ${id.slice(0, 8)}\` says: unless that is applied, nothing was.`,
      { cause },
    );
  });
  if (!isThere) throw new Failure(`${lost}: it was asked again, and nothing was written.`, { cause });
}

/**
 * SQLSTATEs (PostgreSQL, appendix A) of what may go better another time: serialization, deadlock, lock timeout. A
 * statement that took too long would hold the host's row as long again.
 */
const passing = new Set(['40001', '40P01', '55P03']);

/** By a time limit, or because of a signal. */
const cancelled = '57014';

async function open({ schema, config, source, world }: Desk, transaction: Transaction): Promise<Opened> {
  await lockExceptions(transaction, schema);
  await limitTimes(transaction);
  await assertNotStopped(transaction, schema);
  return { transaction, site: new Site(transaction, source, config, await timeOf(transaction, world), false) };
}

async function limitTimes(transaction: Transaction): Promise<void> {
  await transaction`set local lock_timeout = '2s'`; // whoever waits in line for the host's row holds up those behind
  await transaction`set local statement_timeout = '5s'`; // with the host’s row in hand
  await transaction`set local idle_in_transaction_session_timeout = '10s'`; // a process that stands still lets go
  await transaction`set local jit = off`;
}

/**
 * By the clock of the database, which is one for all who correct: a machine whose clock is off would lift the limits, and
 * put the record out of order. World's in tests. RFC 3339.
 */
export async function timeOf(transaction: Transaction, { asOf }: Pick<World, 'asOf'>): Promise<string> {
  const [row] = await transaction<{ time: string }[]>`
    select coalesce(${asOf?.toISOString() ?? null}::timestamptz, clock_timestamp()) as time
  `;
  if (row === undefined) throw new Error('The database gave no time.');
  return row.time;
}

/** What the database said, by its consequence. */
function explained(error: unknown, { config, mask }: Desk): unknown {
  const problem = databaseProblem(error);
  if (problem === undefined || isUnreachable(problem.code) || isReadOnly(problem)) return error;
  const said = `${mask(problem.message)} (${problem.code})`;
  if (problem.code === '42501')
    return new OperatorError(
      78,
      `The role of ${config.corrections.variable} may not write corrections: ${said}.`,
      howToCorrect(config.corrections.variable),
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
