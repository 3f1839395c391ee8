import { randomUUID } from 'node:crypto';
import { announce } from '../alerts/announce.ts';
import { checks as registry } from '../checks/index.ts';
import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { cancelledBy } from '../database/cancel.ts';
import { inTransaction, streamFrom, withDatabase, type Database, type Transaction } from '../database/database.ts';
import { cutOptionsOf, isWhole, startEngine, type Engine, type RunListener, type RunOptions } from './engine.ts';
import { anyException } from '../exceptions/filter.ts';
import { lockExceptions, streamExceptions } from '../exceptions/store.ts';
import { assertKnownUser } from './known-user.ts';
import { makeKnown, tryToPush } from './make-known.ts';
import { assertMigrated } from '../migrations/assert-migrated.ts';
import { plannedSchema } from '../migrations/schema.ts';
import { pastOf } from './past.ts';
import { newlyMissed } from '../schedule/punctuality.ts';
import { beginReport, closeDeadReports, finishReport, type Report } from '../reports.ts';
import { runChecks } from './checks.ts';
import { correctWhatWasFound, foreseenCorrections, imaginedCorrections } from './corrections.ts';
import { withRunLock } from './lock.ts';
import { conclude, type RunResult } from './result.ts';
import { storeRun, type Storage } from './storage.ts';
import { exceptionsWaitMs, lockTimeoutMs } from './timeout.ts';
import { unstoredExceptions } from './unstored.ts';
import { countDeadRuns, countRun } from '../metrics/run-totals.ts';
import { openSource } from '../source.ts';
import { version } from '../version.ts';
import type { World } from '../world.ts';

/**
 * One run: lock, report, custodians, cut, checks, and one transaction that stores all of it or nothing.
 * Throws an OperatorError if it could not begin (3, 4, 77, 78), a SignalInterrupt if it was told to stop.
 */
export async function run(
  config: Config,
  options: RunOptions,
  world: World,
  listener: RunListener,
): Promise<RunResult> {
  const source = openSource(config.source);
  const pool = { connections: 4, signal: world.signal, lockTimeoutMs: lockTimeoutMs(config) };
  return withDatabase(config.databaseUrl, pool, async (database) => {
    // a dry run needs no tables of ours: it is the first thing to try on a real database
    const schema = options.dryRun
      ? await plannedSchema(database, config.schema)
      : await assertMigrated(database, config.schema);
    const patience = {
      waitMs: options.waitMs,
      signal: world.signal,
      waiting: (holder: string) => {
        listener.waiting(holder, options.waitMs);
      },
    };
    return withRunLock(database, schema, patience, async (lost) => {
      const held = { ...world, signal: AbortSignal.any([world.signal, lost]) };
      const engine = startEngine(config, options, held, listener, source);
      await assertKnownUser(cutOptionsOf(engine, {}));
      return options.dryRun ? dryRun(engine, database, schema) : storedRun(engine, database, schema);
    });
  });
}

async function dryRun(engine: Engine, database: Database, schema: string): Promise<RunResult> {
  const report = newReport(engine);
  report.metadata = { ...report.metadata, dry_run: true };
  const past = await pastOf(engine, database, schema);
  const outcomes = await runChecks(engine, past);
  Object.assign(report.metadata, await imaginedCorrections(engine, outcomes, past));
  const endedAt = engine.world.now();
  return {
    ...conclude(report, outcomes, endedAt, engine.mask),
    exceptions: (limit) => unstoredExceptions(outcomes, endedAt.toISOString(), limit),
    cleared: 0,
  };
}

async function storedRun(engine: Engine, database: Database, schema: string): Promise<RunResult> {
  const report = await begin(engine, database, schema);
  engine.listener.began(report);
  await tryToPush(engine, database, schema); // a run that dies has at least been seen to begin
  try {
    const outcomes = await runChecks(engine, await pastOf(engine, database, schema));
    engine.world.signal.throwIfAborted();
    Object.assign(report.metadata, foreseenCorrections(engine, outcomes));
    const conclusion = conclude(report, outcomes, engine.world.now(), engine.mask);
    const cleared = await storeRun(storageOf(engine, database, schema), conclusion, outcomes);
    engine.listener.ended(conclusion.report, conclusion.found);
    await correctWhatWasFound(engine, database, schema, conclusion.report);
    return { ...conclusion, exceptions: (limit) => storedExceptions(engine.config, schema, report.id, limit), cleared };
  } catch (error) {
    await markFailed(
      engine,
      database,
      schema,
      report,
      engine.world.signal.aborted ? engine.world.signal.reason : error,
    );
    throw error;
  } finally {
    await makeKnown(engine, database, schema);
  }
}

/**
 * Writes the report, committed before anything can fail, with the runs that were missed before it; and closes what dead
 * runs left behind.
 */
async function begin(engine: Engine, database: Database, schema: string): Promise<Report> {
  const { config, listener, world } = engine;
  const report = newReport(engine);
  await inTransaction(database, 'read write', async (transaction) => {
    // before any report, as whoever stores a run does
    await cancelledBy(world.signal, database, transaction, () =>
      lockExceptions(transaction, schema, exceptionsWaitMs(config)),
    );
    const missed = await newlyMissed(transaction, schema, config, new Date(report.started_at));
    if (missed.length > 0) report.metadata['missed'] = missed;
    listener.missed(missed);
    const dead = await closeDeadReports(transaction, schema, report.started_at);
    for (const other of dead) await announceEnd(engine, transaction, schema, other);
    await countDeadRuns(transaction, schema, dead);
    await beginReport(transaction, schema, report);
  });
  return report;
}

/** Of a run without a result. */
function announceEnd({ config, mask }: Engine, transaction: Transaction, schema: string, report: Report) {
  const at = report.completed_at ?? report.started_at;
  return announce(transaction, schema, { at, ending: { report, checks: [] } }, config, { clears: false, mask });
}

function storageOf({ options, world, listener, config, mask }: Engine, database: Database, schema: string): Storage {
  return {
    database,
    schema,
    clears: isWhole(options.scope),
    signal: world.signal,
    progress: (stored, all) => {
      listener.storing(stored, all);
    },
    config,
    mask,
  };
}

/** On a connection of its own: when somebody reads them, the run is over and its lock is free. */
function storedExceptions(config: Config, schema: string, reportId: string, limit: number | undefined) {
  return streamFrom(config.databaseUrl, { connections: 1, lockTimeoutMs: lockTimeoutMs(config) }, (reader) =>
    streamExceptions(reader, schema, { ...anyException, reportId }, { limit }),
  );
}

function newReport({ options, config, world }: Engine): Report {
  const startedAt = world.now().toISOString();
  const left = (Object.keys(registry) as CheckName[]).filter((name) => !options.checks.includes(name));
  const off = left.filter((name) => !config.checks.includes(name));
  const notInThisRun = left.filter((name) => config.checks.includes(name));
  const { since, until, userId } = options.scope;
  return {
    id: randomUUID(),
    run_type: options.type,
    status: 'in_progress',
    started_at: startedAt,
    completed_at: null,
    total_checks: 0,
    passed_checks: 0,
    failed_checks: 0,
    exceptions_count: 0,
    error_message: null,
    metadata: {
      environment: config.environment,
      source: config.source,
      recon_version: version,
      ...(off.length > 0 && { off }),
      ...(notInThisRun.length > 0 && { not_in_this_run: notInThisRun }),
      ...(!isWhole(options.scope) && { narrowed_to: { since, until, user_id: userId } }),
    },
    created_at: startedAt,
  };
}

/** A run that broke leaves a report that says so. If that cannot be written either, the next run closes the report. */
async function markFailed(
  engine: Engine,
  database: Database,
  schema: string,
  report: Report,
  error: unknown,
): Promise<void> {
  const message = engine.mask(error instanceof Error ? error.message : String(error));
  const failed: Report = {
    ...report,
    status: 'failed',
    completed_at: engine.world.now().toISOString(),
    error_message: message,
  };
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    await finishReport(transaction, schema, failed);
    await announceEnd(engine, transaction, schema, failed);
    await countRun(transaction, schema, failed, []);
  }).catch(() => undefined);
  engine.listener.failed(failed, error);
}
