import { randomUUID } from 'node:crypto';
import { askCanary, type Control } from './canary.ts';
import type { Check, Comparison, Cut, Found } from '../checks/check.ts';
import { checks as registry } from '../checks/index.ts';
import type { CheckName } from '../checks/names.ts';
import { clockApartMaxMs } from '../custodians/clock.ts';
import type { BegunReading, Retry } from '../custodians/custodian.ts';
import { whyIncomplete, withCut } from './cut.ts';
import { inSavepoint, lockedFor, type Transaction } from '../database/database.ts';
import { isLockTimeout } from '../database/problem.ts';
import { cutOptionsOf, type Engine } from './engine.ts';
import { KeptFindings } from '../exceptions/kept-findings.ts';
import { Incomplete, tooFew } from '../incomplete.ts';
import { withPlace } from './mapping-problem.ts';
import { assertTypes } from './mapping-types.ts';
import type { Past } from './past.ts';
import type { CheckOutcome, Compared } from './outcome.ts';
import { identityOf } from '../source.ts';
import { withDatabases, type Databases } from './source-database.ts';
import type { CutTimes } from './watermarks.ts';

/** What a custodian said, or why it could not be read, and how long that took. */
interface Reading {
  result: BegunReading | Incomplete;
  tookMs: number;
}

type Readings = Map<CheckName, Reading>;

/** Reads the custodians, compares every check in one cut, and settles what a custodian’s movements left open. */
export async function runChecks(engine: Engine, past: Past): Promise<CheckOutcome[]> {
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
  { config, world, listener, custodianSignal: signal, custodianTimeoutMs }: Engine,
  check: Check,
  read: NonNullable<Check['read']>,
): Promise<BegunReading | Incomplete> {
  let last: Retry | undefined;
  const tell = (retry?: Retry) => {
    last = retry;
    listener.retrying(check.name, retry, custodianTimeoutMs);
  };
  const progress = (count: number) => {
    listener.reading(check.name, count);
  };
  progress(0);
  try {
    return await read(config, { ...world, signal, asking: { answered: tell, retrying: tell } }, progress);
  } catch (error) {
    if (error instanceof Incomplete) return error;
    if (signal.aborted && !world.signal.aborted) return tooSlow(last);
    throw error;
  } finally {
    tell();
  }
}

async function compareAll(engine: Engine, readings: Readings, past: Past): Promise<CheckOutcome[]> {
  return withDatabases(engine.config, engine.world.signal, async (databases) => {
    const outcomes: CheckOutcome[] = [];
    for (const outcome of await compareInCut(engine, databases, readings, past))
      outcomes.push(await settleOne(engine, databases, outcome, past));
    return outcomes;
  });
}

async function compareInCut(
  engine: Engine,
  databases: Databases,
  readings: Readings,
  past: Past,
): Promise<CheckOutcome[]> {
  const { options, world } = engine;
  const outcomes: CheckOutcome[] = [];
  try {
    await withCut(databases, cutOptionsOf(engine, past.known), async (cut) => {
      const times = timesOf(engine, cut);
      warnOfClocks(engine, times);
      const windowOf = await past.windows(databases.main, times);
      for (const name of options.checks) {
        const window = windowOf?.(name);
        const seen = { ...cut, ...(window && { window }) };
        const outcome = await compareOne(engine, seen, registry[name], readings.get(name), past);
        outcomes.push({ ...outcome, ...(window && { verifies: { window, times } }) });
      }
    });
  } catch (error) {
    // the connection is gone: what was compared before stands, the rest could not be told
    const reason = whyIncomplete(error);
    if (reason === undefined || world.signal.aborted) throw error;
    for (const name of options.checks.slice(outcomes.length)) {
      const control = await controlOf(engine, registry[name], () => Promise.resolve(reason));
      outcomes.push(told(engine, outcomeOf(engine, name, world.now(), reason, control), past));
    }
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

/** Records are judged by the database's clock; deadlines, the schedule and the custodians go by this machine's. */
function warnOfClocks({ listener }: Engine, { asOf, runAt }: CutTimes): void {
  const apartMs = Date.parse(asOf) - Date.parse(runAt);
  if (Math.abs(apartMs) <= clockApartMaxMs) return;
  const seconds = Math.round(Math.abs(apartMs) / 1000);
  listener.trouble(
    'clocks.apart',
    `the clock where the checks read is ${seconds} s ${apartMs < 0 ? 'behind' : 'ahead of'} this machine’s: set both by NTP`,
  );
}

async function compareOne(
  engine: Engine,
  cut: Cut,
  check: Check,
  reading: Reading | undefined,
  past: Past,
): Promise<CheckOutcome> {
  const startedAt = engine.world.now();
  engine.listener.comparing(check.name);
  const seen = { ...cut, params: { ...cut.params, ...check.params(engine.config) } };
  const control = await controlOf(engine, check, () => tryCanary(engine, seen, check));
  const result = whyBlind(control) ?? (await tryCompare(engine, seen, check, reading?.result, past));
  const outcome = outcomeOf(engine, check.name, startedAt, result, control);
  outcome.executionMs += reading?.tookMs ?? 0; // reading is most of the work
  return isSettled(outcome) ? told(engine, outcome, past) : outcome;
}

function isSettled({ result }: CheckOutcome): boolean {
  return result instanceof Incomplete || result.settle === undefined;
}

/** What a check has to do once the snapshot of all checks is closed: its findings take the place of those so far. */
async function settleOne(
  engine: Engine,
  databases: Databases,
  outcome: CheckOutcome,
  past: Past,
): Promise<CheckOutcome> {
  const { name, result } = outcome;
  if (result instanceof Incomplete || result.settle === undefined) return outcome;
  const { config, world, signal, listener } = engine;
  const { settle } = result;
  const progress = (count: number) => {
    listener.reading(name, count);
  };
  const startedAt = world.now();
  const cut = <T>(body: (cut: Cut) => Promise<T>) =>
    withCut(databases, cutOptionsOf(engine, {}), (seen) =>
      body({ ...seen, params: { ...seen.params, ...registry[name].params(config) } }),
    );
  const answer = await orIncomplete(engine, () =>
    withFindings(past, (found) => settle({ world: { ...world, signal }, progress, cut, found })),
  );
  const executionMs = outcome.executionMs + since(engine, startedAt);
  return told(engine, { ...outcome, result: answer, executionMs }, past);
}

function told(engine: Engine, outcome: CheckOutcome, { compared }: Past): CheckOutcome {
  const believed = refuseShrunken(outcome, compared.get(outcome.name));
  engine.listener.finished(believed);
  return believed;
}

/** The custodians have no canary. */
async function controlOf(
  { options }: Engine,
  check: Check,
  ask: () => Promise<Control | Incomplete>,
): Promise<CheckOutcome['control']> {
  if (!options.canary) return 'not asked';
  return check.read === undefined ? ask() : 'none';
}

async function tryCanary(engine: Engine, cut: Cut, check: Check): Promise<Control | Incomplete> {
  return orIncomplete(engine, () => apart(cut, (transaction) => askCanary({ ...cut, transaction }, check)));
}

/** Why a check is not worth asking; undefined: it is. */
function whyBlind(control: CheckOutcome['control']): Incomplete | undefined {
  if (control === 'not asked' || control === 'none') return undefined;
  return control instanceof Incomplete ? control : (control.problem ?? undefined);
}

async function tryCompare(
  engine: Engine,
  cut: Cut,
  check: Check,
  reading: BegunReading | Incomplete | undefined,
  past: Past,
): Promise<Compared | Incomplete> {
  if (reading instanceof Incomplete) return reading;
  return orIncomplete(engine, () =>
    apart(cut, async (transaction) => {
      const seen = { ...cut, transaction };
      await assertTypes(seen, check);
      return withFindings(past, (found) => check.compare(seen, reading, found));
    }),
  );
}

/** In a savepoint: one that breaks does not stop the others. Of what it waited for in vain it is told who has it. */
function apart<T>({ transaction }: Cut, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return inSavepoint(transaction, work).catch(async (error: unknown) => {
    throw isLockTimeout(error) ? whyIncomplete(error, await lockedFor(transaction, error)) : error;
  });
}

/** What `work` found out, or why it could not tell. Throws what is neither. */
async function orIncomplete<T>(engine: Engine, work: () => Promise<T>): Promise<T | Incomplete> {
  const { world, signal } = engine;
  try {
    world.signal.throwIfAborted();
    if (signal.aborted) return pastDeadline();
    return await work();
  } catch (error) {
    world.signal.throwIfAborted();
    const reason = signal.aborted ? pastDeadline() : whyIncomplete(error);
    if (reason === undefined) throw error;
    return withPlace(reason, error, engine);
  }
}

/** A comparison with all that it handed over. */
async function withFindings({ accepted }: Past, compare: (found: Found) => Promise<Comparison>): Promise<Compared> {
  const findings = new KeptFindings();
  const comparison = await compare((finding) => {
    findings.add(finding);
  });
  return { ...comparison, findings, accepted: await accepted(findings) };
}

function pastDeadline(): Incomplete {
  return new Incomplete('The deadline of the run passed before this check was done: raise RECONCILIATION_RUN_TIMEOUT.');
}

/** `last`: what had not been answered when its time was over; undefined: it answered, and was slow. */
function tooSlow(last: Retry | undefined): Incomplete {
  const unanswered =
    last === undefined ? '' : ` Last: ${last.trouble}; attempt ${last.attempt} of ${last.attemptsMax} was under way.`;
  return new Incomplete(
    `The custodian was not read within half of the run’s time: if it answers, raise RECONCILIATION_RUN_TIMEOUT, or its *_REQUESTS_PER_SECOND if the limit allows.${unanswered}`,
  );
}

function outcomeOf(
  engine: Engine,
  name: CheckName,
  startedAt: Date,
  result: CheckOutcome['result'],
  control: CheckOutcome['control'],
): CheckOutcome {
  return { name, id: randomUUID(), startedAt, executionMs: since(engine, startedAt), result, control };
}

/** In milliseconds; never negative, though a clock may be set back. */
function since({ world }: Engine, startedAt: Date): number {
  return Math.max(0, world.now().getTime() - startedAt.getTime());
}

function refuseShrunken(outcome: CheckOutcome, previous: number | undefined): CheckOutcome {
  const { result } = outcome;
  if (result instanceof Incomplete || result.coverage !== 'everything') return outcome;
  return { ...outcome, result: tooFew(result.compared, previous) ?? result };
}
