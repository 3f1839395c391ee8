import { randomUUID } from 'node:crypto';
import { askCanary } from './canary.ts';
import type { Check, Cut, Window } from './checks/check.ts';
import { checks as registry } from './checks/index.ts';
import type { CheckName } from './checks/names.ts';
import type { Config } from './config.ts';
import type { CustodianReading } from './custodians/custodian.ts';
import { everything, whyIncomplete, withCut, type CutOptions, type Scope } from './cut.ts';
import { inSavepoint, openDatabase, streamFrom, withDatabase, type Database } from './database.ts';
import { KeptFindings } from './exceptions/kept-findings.ts';
import { anyException, openSubjects, streamExceptions } from './exceptions/store.ts';
import { Incomplete } from './incomplete.ts';
import { assertKnownUser } from './known-user.ts';
import { withPlace } from './mapping-problem.ts';
import { assertMigrated, plannedSchema } from './migrations.ts';
import { beginReport, finishReport, hasReports, lastCompared, type Report, type RunType } from './reports.ts';
import {
  conclude,
  storeRun,
  unstoredExceptions,
  type CheckOutcome,
  type Compared,
  type RunResult,
  type Storage,
} from './run-result.ts';
import { withRunLock } from './run-lock.ts';
import { createMask, type Mask } from './secrets.ts';
import { identityOf, openSource, type Source } from './source.ts';
import { windowsOf, type CutTimes } from './watermarks.ts';
import type { World } from './world.ts';

export interface RunOptions {
  type: RunType;
  /** The checks to run, of those that are on. */
  checks: readonly CheckName[];
  scope: Scope;
  dryRun: boolean;
  waitMs: number;
  /** Take a shrunken source for the truth this once. */
  acceptFewer: boolean;
  /** Let each check of the database look at books with known faults as well. */
  canary: boolean;
}

/** Told what happens while it happens; none of it is a result. */
export interface RunListener {
  /** Another run holds the lock, and this one waits for it. */
  waiting(): void;
  /** Begins with 0. */
  reading(check: CheckName, read: number): void;
  comparing(check: CheckName): void;
  finished(outcome: CheckOutcome): void;
  /** Nothing is stored before all of it is. */
  storing(stored: number, all: number): void;
}

interface Engine {
  config: Config;
  options: RunOptions;
  world: World;
  listener: RunListener;
  source: Source;
  mask: Mask;
  /** Aborted by a signal of the operating system or by the run's deadline. */
  signal: AbortSignal;
  /** Aborted when half of the run's time is over: a slow custodian must not keep the books from being looked at. */
  custodianSignal: AbortSignal;
}

/** Where RECONCILIATION_RUN_TIMEOUT is not set. */
export const defaultTimeoutMs: Record<RunType, number> = { hourly: 600_000, daily: 3_600_000, manual: 3_600_000 };

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
  return withDatabase(config.databaseUrl, { connections: 4, signal: world.signal }, async (database) => {
    // a dry run needs no tables of ours: it is the first thing to try on a real database
    const schema = options.dryRun
      ? await plannedSchema(database, config.schema)
      : await assertMigrated(database, config.schema);
    const patience = {
      waitMs: options.waitMs,
      signal: world.signal,
      waiting: () => {
        listener.waiting();
      },
    };
    return withRunLock(database, schema, patience, async () => {
      const engine = startEngine(config, options, world, listener, source);
      await assertKnownUser(database, cutOptionsOf(engine, {}));
      return options.dryRun ? dryRun(engine, database, schema) : storedRun(engine, database, schema);
    });
  });
}

function cutOptionsOf({ config, source, options, world, signal }: Engine, known: Past['known']): CutOptions {
  const seed = String(Math.floor(world.random() * Number.MAX_SAFE_INTEGER));
  return { config, source, scope: options.scope, asOf: world.asOf, seed, known, signal };
}

/** The deadline runs from here: waiting for the lock does not count. */
function startEngine(config: Config, options: RunOptions, world: World, listener: RunListener, source: Source): Engine {
  const timeoutMs = config.runTimeoutMs ?? defaultTimeoutMs[options.type];
  const signal = deadlineAfter(timeoutMs, world.signal);
  const custodianSignal = deadlineAfter(timeoutMs / 2, signal);
  return { config, options, world, listener, source, signal, custodianSignal, mask: createMask(world.env) };
}

function deadlineAfter(milliseconds: number, signal: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(Math.ceil(milliseconds));
  deadline.addEventListener('abort', () => undefined); // `any` holds it weakly: collected, it would never go off
  return AbortSignal.any([signal, deadline]);
}

async function dryRun(engine: Engine, database: Database, schema: string): Promise<RunResult> {
  const report = newReport(engine);
  report.metadata = { ...report.metadata, dry_run: true };
  const outcomes = await runChecks(engine, await pastOf(engine, database, schema));
  const endedAt = engine.world.now();
  return {
    ...conclude(report, outcomes, endedAt, engine.mask),
    exceptions: (limit) => unstoredExceptions(outcomes, endedAt.toISOString(), limit),
    cleared: 0,
  };
}

async function storedRun(engine: Engine, database: Database, schema: string): Promise<RunResult> {
  const report = newReport(engine);
  await beginReport(database, schema, report);
  try {
    const outcomes = await runChecks(engine, await pastOf(engine, database, schema));
    engine.world.signal.throwIfAborted();
    const conclusion = conclude(report, outcomes, engine.world.now(), engine.mask);
    const cleared = await storeRun(storageOf(engine, database, schema), conclusion, outcomes);
    return { ...conclusion, exceptions: (limit) => storedExceptions(engine.config, schema, report.id, limit), cleared };
  } catch (error) {
    await markFailed(engine, database, schema, report, error);
    throw error;
  }
}

function storageOf({ options, world, listener }: Engine, database: Database, schema: string): Storage {
  return {
    database,
    schema,
    clears: isWhole(options.scope),
    signal: world.signal,
    progress: (stored, all) => {
      listener.storing(stored, all);
    },
  };
}

/** On a connection of its own: when somebody reads them, the run is over and its lock is free. */
function storedExceptions(config: Config, schema: string, reportId: string, limit: number | undefined) {
  return streamFrom(config.databaseUrl, (database) =>
    streamExceptions(database, schema, { ...anyException, reportId }, { limit }),
  );
}

/** What earlier runs left that this one goes by. */
interface Past {
  /** How many records each check compared last time; unknown where fewer are accepted. */
  compared: ReadonlyMap<string, number>;
  /** The subjects of each check with an open exception. */
  known: Cut['known'];
  /** From where to where each check verifies; a narrowed run verifies nothing. */
  windows: (database: Database, times: CutTimes) => Promise<((check: CheckName) => Window) | undefined>;
}

/** A dry run may come before our tables: then nobody knows of any past. */
async function pastOf({ options }: Engine, database: Database, schema: string): Promise<Past> {
  if (options.dryRun && !(await hasReports(database, schema)))
    return { compared: new Map(), known: {}, windows: () => Promise.resolve(undefined) };
  const { scope, type } = options;
  return {
    windows: async (connected, times) =>
      isWhole(scope) ? windowsOf(connected, schema, times, { onlyChanges: type === 'hourly' }) : undefined,
    compared: options.acceptFewer ? new Map() : await lastCompared(database, schema),
    known: await openSubjects(database, schema),
  };
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
      ...(off.length > 0 && { off }),
      ...(notInThisRun.length > 0 && { not_in_this_run: notInThisRun }),
      ...(!isWhole(options.scope) && { narrowed_to: { since, until, user_id: userId } }),
    },
    created_at: startedAt,
  };
}

function isWhole(scope: Scope): boolean {
  return scope.since === everything.since && scope.until === everything.until && scope.userId === everything.userId;
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
  await finishReport(database, schema, failed).catch(() => undefined);
}

/** What a custodian said, or why it could not be read, and how long that took. */
interface Reading {
  result: CustodianReading | Incomplete;
  tookMs: number;
}

type Readings = Map<CheckName, Reading>;

async function runChecks(engine: Engine, past: Past): Promise<CheckOutcome[]> {
  return compareAll(engine, await readCustodians(engine), past);
}

/** Custodians are slow: they are read side by side, and before any snapshot is open. */
async function readCustodians(engine: Engine): Promise<Readings> {
  const reading = engine.options.checks.map(async (name): Promise<[CheckName, Reading] | undefined> => {
    const check = registry[name];
    if (check.read === undefined) return undefined;
    const startedAt = engine.world.now();
    const result = await readOne(engine, check, check.read);
    return [name, { result, tookMs: since(engine, startedAt) }];
  });
  return new Map((await Promise.all(reading)).filter((entry) => entry !== undefined));
}

async function readOne(
  { config, world, listener, custodianSignal: signal }: Engine,
  check: Check,
  read: NonNullable<Check['read']>,
): Promise<CustodianReading | Incomplete> {
  const told = (count: number) => {
    listener.reading(check.name, count);
  };
  told(0);
  try {
    return await read(config, { ...world, signal }, told);
  } catch (error) {
    if (error instanceof Incomplete) return error;
    if (signal.aborted && !world.signal.aborted) return tooSlow();
    throw error;
  }
}

async function compareAll(engine: Engine, readings: Readings, past: Past): Promise<CheckOutcome[]> {
  const { config, options, world } = engine;
  const outcomes: CheckOutcome[] = [];
  const database = openDatabase(config.databaseUrl, { connections: 2, signal: world.signal }); // its own: what it loses, nobody else needs
  try {
    await withCut(database, cutOptionsOf(engine, past.known), async (cut) => {
      const times = timesOf(engine, cut);
      const windowOf = await past.windows(database, times);
      for (const name of options.checks) {
        const window = windowOf?.(name);
        const outcome = await compareOne(
          engine,
          { ...cut, ...(window && { window }) },
          registry[name],
          readings.get(name),
          past,
        );
        outcomes.push({ ...outcome, ...(window && { verifies: { window, times } }) });
      }
    });
  } catch (error) {
    // the connection is gone: what was compared before stands, the rest could not be told
    const reason = whyIncomplete(error);
    if (reason === undefined || world.signal.aborted) throw error;
    for (const name of options.checks.slice(outcomes.length))
      outcomes.push(told(engine, outcomeOf(engine, name, world.now(), reason)));
  } finally {
    await database.end({ timeout: 1 });
  }
  return outcomes;
}

/** The cut by both clocks. */
function timesOf({ config, source, world }: Engine, { params, horizon }: Cut): CutTimes {
  return {
    asOf: params.as_of,
    ...horizon,
    runAt: world.now().toISOString(),
    source: `${identityOf(source)} ${config.entriesPerTransaction}`,
  };
}

async function compareOne(
  engine: Engine,
  cut: Cut,
  check: Check,
  reading: Reading | undefined,
  { compared }: Past,
): Promise<CheckOutcome> {
  const startedAt = engine.world.now();
  engine.listener.comparing(check.name);
  const outcome = outcomeOf(engine, check.name, startedAt, await tryCompare(engine, cut, check, reading?.result));
  outcome.executionMs += reading?.tookMs ?? 0; // reading is most of the work
  return told(engine, refuseShrunken(outcome, compared.get(check.name)));
}

function told(engine: Engine, outcome: CheckOutcome): CheckOutcome {
  engine.listener.finished(outcome);
  return outcome;
}

async function tryCompare(
  { config, options, world, signal }: Engine,
  cut: Cut,
  check: Check,
  reading: CustodianReading | Incomplete | undefined,
): Promise<Compared | Incomplete> {
  if (reading instanceof Incomplete) return reading;
  const params = { ...cut.params, ...check.params(config) };
  try {
    world.signal.throwIfAborted();
    if (signal.aborted) return pastDeadline();
    return await inSavepoint(cut.transaction, async (transaction) => {
      const inSavepoint = { ...cut, transaction, params };
      const planted = options.canary && check.read === undefined ? await askCanary(inSavepoint, check) : null;
      return { ...(await compare(inSavepoint, check, reading)), planted };
    });
  } catch (error) {
    world.signal.throwIfAborted();
    const reason = signal.aborted ? pastDeadline() : whyIncomplete(error);
    if (reason === undefined) throw error;
    return withPlace(reason, error, cut.source);
  }
}

async function compare(
  cut: Cut,
  check: Check,
  reading: CustodianReading | undefined,
): Promise<Omit<Compared, 'planted'>> {
  const findings = new KeptFindings();
  const comparison = await check.compare(cut, reading, (finding) => {
    findings.add(finding);
  });
  return { ...comparison, findings };
}

function pastDeadline(): Incomplete {
  return new Incomplete('The deadline of the run passed before this check was done: raise RECONCILIATION_RUN_TIMEOUT.');
}

function tooSlow(): Incomplete {
  return new Incomplete(
    'The custodian was not read within half of the run’s time: raise RECONCILIATION_RUN_TIMEOUT, or its *_REQUESTS_PER_SECOND if the limit allows.',
  );
}

function outcomeOf(engine: Engine, name: CheckName, startedAt: Date, result: Compared | Incomplete): CheckOutcome {
  return { name, id: randomUUID(), startedAt, executionMs: since(engine, startedAt), result };
}

/** In milliseconds; never negative, though a clock may be set back. */
function since({ world }: Engine, startedAt: Date): number {
  return Math.max(0, world.now().getTime() - startedAt.getTime());
}

/** An answer of less than half the records of the last complete run is not believed: a table was cut, not a business. */
function refuseShrunken(outcome: CheckOutcome, previous: number | undefined): CheckOutcome {
  const { result } = outcome;
  if (result instanceof Incomplete || result.coverage !== 'everything') return outcome;
  if (previous === undefined || result.compared * 2 >= previous) return outcome;
  const records = result.compared === 1 ? 'record' : 'records';
  const reason = `Only ${result.compared} ${records} where the last complete run compared ${previous}; trying again changes nothing, a person has to look: if they were really removed, run once with --accept-fewer.`;
  return { ...outcome, result: new Incomplete(reason) };
}
