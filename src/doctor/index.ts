import { parseConfig, type Config } from '../config.ts';
import { whyIncomplete } from '../run/cut.ts';
import { databaseProblem, operatorProblem } from '../database/problem.ts';
import { openDatabase, type Database } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { OperatorError } from '../operator-error.ts';
import { createMask } from '../secrets.ts';
import { openSource, type Source } from '../source.ts';
import type { World } from '../world.ts';
import { corrections } from './corrections.ts';
import { custodians, keys } from './custodians.ts';
import { direction, owners } from './custody.ts';
import { exposed, tooLate } from './env-file.ts';
import { environments } from './environments.ts';
import type { DatabasePatient, Diagnosis, Examination, Opinion, Patient } from './examination.ts';
import { ok, problem, warning } from './examination.ts';
import { host } from './host.ts';
import { indexes } from './indexes.ts';
import { lockPatienceMs } from './look.ts';
import { meaningOf } from './meaning.ts';
import { mappedRelations } from './relations.ts';
import { replica } from './replica.ts';
import { clock, encryption, server, writers } from './server.ts';
import { rights, tables } from './tables.ts';
import { alerts, metrics, noMetrics } from './told.ts';

/** In the order in which somebody mends what they find. */
const ofTheDatabase: readonly Examination<DatabasePatient>[] = [
  server,
  replica,
  host,
  tables,
  mappedRelations,
  rights,
  corrections,
  writers,
  clock,
  owners,
  direction,
  indexes,
];

/** Whoever is told. */
const ofListeners: readonly Examination[] = [alerts, metrics];

/**
 * Looks at everything that a run needs, and says of each thing how it is and what to do next. Only reads; stores and
 * sends nothing. `offline`: only what needs no network. Rejects with the signal's reason when `world.signal` aborts.
 */
export async function* consult(world: World, options: { offline: boolean }): AsyncGenerator<Diagnosis> {
  const mask = createMask(world.env);
  for await (const diagnosis of examineAll(world, options)) yield masked(diagnosis, mask);
}

async function* examineAll(world: World, { offline }: { offline: boolean }): AsyncGenerator<Diagnosis> {
  const [configured, config] = attempt(() => parseConfig(world.env), describeConfig);
  yield* about('configuration', [...configured, ...exposed(world), ...tooLate(world)]);
  if (config === undefined) return;
  const [mapped, source] = attempt(
    () => openSource(config.source),
    ({ folder }) => [ok(`Read from ${folder}.`)],
  );
  yield* about('mapping', mapped);
  if (source === undefined) return;
  const patient = { config, source, world };
  for (const examination of [encryption, environments]) yield* await diagnose(examination, patient);
  if (offline) {
    for (const examination of [...keys, alerts, noMetrics]) yield* await diagnose(examination, patient);
    return;
  }
  const beforeBooks = yield* examineDatabase(patient);
  const reader = { ...patient, beforeBooks, patienceMs: custodianPatienceMs };
  for (const examination of custodians) yield* await diagnose(examination, reader);
  for (const examination of ofListeners) yield* await diagnose(examination, patient);
}

/** What a doctor says of the tables that the checks read, to whoever has just made recon's own beside them. */
export async function consultAboutHost(database: Database, config: Config, world: World): Promise<Diagnosis[]> {
  const [mapped, source] = attempt(
    () => openSource(config.source),
    () => [],
  );
  const diagnoses =
    source === undefined ? about('mapping', mapped) : await diagnose(host, { database, config, source, world });
  const mask = createMask(world.env);
  return diagnoses.map((diagnosis) => masked(diagnosis, mask));
}

function masked(diagnosis: Diagnosis, mask: (text: string) => string): Diagnosis {
  const { message, next } = diagnosis;
  return { ...diagnosis, message: mask(message), next: next === null ? null : mask(next) };
}

/** What `action` answers with how to describe that, or each line of why it could not. */
function attempt<T extends Config | Source>(action: () => T, describe: (result: T) => Opinion[]): [Opinion[], T?] {
  try {
    const result = action();
    return [describe(result), result];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return [error.message.split('\n').map((line) => problem(line, meaningOf(line) ?? error.hint ?? null))];
  }
}

function describeConfig({ environment, enabled, checks }: Config): Opinion[] {
  return [
    ok(`Environment ${environment}; checks that are on: ${checks.join(', ')}.`),
    ...(enabled ? [] : [warning('RECONCILIATION_ENABLED is false: hourly and daily runs do nothing.', 'Unset it.')]),
  ];
}

/** Longer than the retries of one request take when a custodian is busy, shorter than a person waits. */
const custodianPatienceMs = 20_000;

/** What connects: without it there is nothing further to ask. */
const connecting = [server, replica];

/** Returns the topic without which the books cannot be read there; undefined: they can. */
async function* examineDatabase(patient: Patient): AsyncGenerator<Diagnosis, string | undefined> {
  const database = openDatabase(patient.config.databaseUrl, {
    connections: 3,
    signal: patient.world.signal,
    lockTimeoutMs: lockPatienceMs,
  });
  const ill = new Set<string>();
  try {
    for (const examination of ofTheDatabase) {
      const { topic, after = '' } = examination;
      const diagnoses = ill.has(after)
        ? about(topic, [warning(`Not looked at: ${after} comes first.`, null)])
        : await diagnose(examination, { ...patient, database });
      yield* diagnoses;
      if (ill.has(after)) ill.add(topic);
      if (diagnoses.every(({ verdict }) => verdict !== 'problem')) continue;
      if (connecting.includes(examination)) return topic;
      ill.add(topic);
    }
    return ill.has('source') ? 'source' : undefined;
  } finally {
    await database.end({ timeout: 5 });
  }
}

async function diagnose<P extends Patient>(examination: Examination<P>, patient: P): Promise<Diagnosis[]> {
  patient.world.signal.throwIfAborted();
  try {
    return about(examination.topic, await examination.examine(patient));
  } catch (error) {
    patient.world.signal.throwIfAborted();
    return about(examination.topic, [whyNot(error, patient.config)]);
  }
}

function whyNot(error: unknown, { databaseUrl }: Config): Opinion {
  const told = error instanceof OperatorError ? error : operatorProblem(error, databaseUrl);
  if (told !== undefined) return problem(told.message, told.hint ?? null);
  if (error instanceof Incomplete || databaseProblem(error) !== undefined)
    return problem(whyIncomplete(error)?.message ?? '', null);
  throw error;
}

function about(topic: string, opinions: readonly Opinion[]): Diagnosis[] {
  return opinions.map((opinion) => ({ topic, ...opinion }));
}
