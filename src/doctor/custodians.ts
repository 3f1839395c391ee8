import { join } from 'node:path';
import { custodyStatements } from '../checks/custody-books.ts';
import { checks } from '../checks/index.ts';
import { count } from '../count.ts';
import { query } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { deadlineAfter } from '../run/engine.ts';
import type { Config } from '../config.ts';
import { bind, compose } from '../source.ts';
import { access, custodianChecks, type CustodianCheck } from './access.ts';
import { ok, problem, some, warning, type Examination, type Opinion, type Patient } from './examination.ts';
import { Heard } from './heard.ts';
import { look } from './look.ts';
import { howToMend, howToSet, nextSteps, whereReasons } from './mending.ts';

/** Somebody who may not have the books. */
export interface Reader extends Patient {
  /** The topic that comes first, because without it the books cannot be read; undefined: they can. */
  beforeBooks: string | undefined;
  /** For how long a custodian is read. */
  patienceMs: number;
}

/**
 * One for every check with a custodian: that it can be read as a run reads it, as far as that goes while a person waits,
 * and lists what the books know to be there.
 */
export const custodians: readonly Examination<Reader>[] = custodianChecks.map((name) => ({
  topic: name,
  async examine(patient) {
    if (!patient.config.checks.includes(name)) return [ok('Off: RECONCILIATION_CHECKS leaves it out.')];
    const keyless = withoutKey(patient.config, name);
    if (keyless.length > 0) return keyless;
    const heard = new Heard();
    const ending = await read(patient, name, heard);
    if (ending instanceof Incomplete) return [problem(ending.message, howToMend(ending, patient.config, name))];
    const late = ending === 'late' ? [notReadInTime(patient, name, heard)] : []; // before the books take their time
    const { ids } = heard;
    if (ids === undefined) return late;
    return [await holdAgainstBooks(patient, name, ids, ending === 'late' ? 'listed' : 'read'), ...late];
  },
}));

/** What is known of the same without asking anybody: nothing where all keys are set, or the check is off. */
export const keys: readonly Examination[] = custodianChecks.map((name) => ({
  topic: name,
  examine: ({ config }) => Promise.resolve(config.checks.includes(name) ? withoutKey(config, name) : []),
}));

function withoutKey(config: Config, name: CustodianCheck): Opinion[] {
  const missing = Object.entries(access[name](config).keys).find(([, key]) => key === undefined);
  if (missing === undefined) return [];
  const message = `${missing[0]} is not set: a run exits with 78.`;
  return [problem(message, howToSet(message, config, name))];
}

/** Reads everything that a run would read, until nobody waits any longer. */
async function read(
  { config, world, patienceMs }: Reader,
  name: CustodianCheck,
  asking: Heard,
): Promise<'whole' | 'late' | Incomplete> {
  const signal = deadlineAfter(patienceMs, world.signal);
  try {
    await checks[name].read?.(config, { ...world, signal, asking }, (seen) => {
      asking.read = seen;
    });
    return 'whole';
  } catch (error) {
    world.signal.throwIfAborted();
    if (signal.aborted) return 'late';
    if (error instanceof Incomplete) return error;
    throw error;
  }
}

/** What is large takes longer than anybody waits. Whoever rests, or says no more, is another matter. */
function notReadInTime({ config, patienceMs }: Reader, name: CustodianCheck, heard: Heard): Opinion {
  const { at, noun, pace } = access[name](config);
  const { silentMs, trouble, ids } = heard;
  const uncompared = ids === undefined ? '. Not compared with what the books know' : '';
  const until = `In ${Math.ceil(patienceMs / 1000)} s the money of ${count(heard.read, noun)} was read`;
  if (silentMs < 0)
    return warning(
      `${until}, because what may be asked is nearly used up, by somebody else or by a run: recon leaves them the rest${uncompared}.`,
      `Try again in a minute; if it stays so, find out who else asks, or lower ${pace}.`,
    );
  const isSilent = silentMs > patienceMs / 4;
  if (isSilent || trouble !== undefined)
    return (isSilent ? problem : warning)(
      `${until}, and no answer came in the last ${Math.ceil(silentMs / 1000)} s${trouble === undefined ? '' : `: ${trouble}`}${uncompared}.`,
      nextSteps[3](at),
    );
  return ids === undefined
    ? warning(`${until}: a run takes longer${uncompared}.`, `\`recon run --check ${name}\` reads all of it.`)
    : ok(`${until}: a run takes longer.`);
}

/** What the books know to be there and the custodian does not list: a key of somebody else reads that very well. */
async function holdAgainstBooks(
  patient: Reader,
  name: CustodianCheck,
  ids: readonly string[],
  verb: 'read' | 'listed',
): Promise<Opinion> {
  const { noun, exclude, variable } = access[name](patient.config);
  const read = `The custodian answers, and takes the credentials: ${count(ids.length, noun)} ${verb}`;
  if (patient.beforeBooks !== undefined)
    return warning(`${read}. Not compared with what the books know: ${patient.beforeBooks} comes first.`, null);
  const held = new Set(ids);
  const known = (await knownToBooks(patient, name)).filter((id) => !exclude.has(id));
  const unlisted = known.filter((id) => !held.has(id));
  if (known.length === 0) {
    const beside = exclude.size === 0 ? '' : ` beside those in ${variable}`;
    return ofNobody(patient, `${read}, and the books know none${beside}`, ids);
  }
  if (unlisted.length === 0) return ok(`${read}, all ${known.length} that the books know among them.`);
  return (unlisted.length === known.length ? problem : warning)(
    `${read}, but not ${unlisted.length} of the ${known.length} that the books know (${some(unlisted)}).`,
    unlisted.length === known.length
      ? `Are the credentials those of the firm and the environment that the books are of? ${whereReasons}`
      : `If they are gone, name them in ${variable}; if they are not, the listing is not whole. ${whereReasons}`,
  );
}

/** Where there is nothing to tell it by, a custodian may be that of anybody. */
function ofNobody({ source }: Patient, told: string, ids: readonly string[]): Opinion {
  if (ids.length === 0) return ok(`${told}.`);
  return warning(
    `${told}: whether the credentials are those of the right firm cannot be told.`,
    `If users have one there, ${join(source.folder, 'custody_accounts.sql')} does not find it.`,
  );
}

async function knownToBooks(patient: Patient, name: CustodianCheck): Promise<string[]> {
  const rows = await look(patient, ({ transaction, source, params }) =>
    query<{ external_id: string }>(
      transaction,
      compose(source, custodyStatements.owners),
      bind({ ...params, ...checks[name].params(patient.config) }),
    ),
  );
  return rows.map(({ external_id: id }) => id);
}
