import { custodyStatements } from '../checks/custody-books.ts';
import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import type { BegunReading, Retry } from '../custodians/custodian.ts';
import { query } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { deadlineAfter } from '../run/engine.ts';
import { bind, compose } from '../source.ts';
import { access, custodianChecks, howToMend, nextSteps, whereReasons, type CustodianCheck } from './access.ts';
import { ok, problem, some, warning, type Examination, type Opinion, type Patient } from './examination.ts';
import { look } from './look.ts';

/** Longer than the retries of one request take when a custodian is busy, shorter than a person waits. */
const patienceMs = 20_000;

/** Longer than it is silent while it is asked page by page. */
const silenceMs = 10_000;

/**
 * One for every check with a custodian: that it can be read as a run reads it, as far as that goes while a person waits,
 * and lists what the books know to be there.
 */
export const custodians: readonly Examination<Reader>[] = custodianChecks.map((name) => ({
  topic: name,
  async examine(patient) {
    if (!patient.config.checks.includes(name)) return [ok('Off: RECONCILIATION_CHECKS leaves it out.')];
    const read = await readFor(patient, name);
    return 'holdings' in read ? [await holdAgainstBooks(patient, name, read)] : [read];
  },
}));

/** Somebody who may not have the books. */
export interface Reader extends Patient {
  /** Whether they can be read; why not was told before. */
  hasBooks: boolean;
}

/** Everything that a run would read, or what kept it from being read. */
async function readFor({ config, world }: Patient, name: CustodianCheck): Promise<BegunReading | Opinion> {
  const signal = deadlineAfter(patienceMs, world.signal);
  let seen = 0;
  let answeredAt = performance.now();
  let trouble = '';
  const asking = {
    answered: () => {
      answeredAt = performance.now();
      trouble = '';
    },
    retrying: (retry: Retry) => {
      trouble = `: ${retry.trouble}`;
    },
  };
  try {
    const reading = await checks[name].read?.(config, { ...world, signal, asking }, (count) => {
      seen = count;
    });
    if (reading === undefined) throw new Error(`${name} has no custodian.`);
    return reading;
  } catch (error) {
    world.signal.throwIfAborted();
    if (signal.aborted) return notReadInTime(config, name, { seen, trouble, silentMs: performance.now() - answeredAt });
    if (!(error instanceof Incomplete)) throw error;
    return problem(error.message, howToMend(error, config, name));
  }
}

/** One that is large takes longer than anybody waits; one that says no more is another matter. */
function notReadInTime(
  config: Config,
  name: CustodianCheck,
  { seen, trouble, silentMs }: { seen: number; trouble: string; silentMs: number },
): Opinion {
  const { at, noun } = access[name](config);
  const after = seen === 0 ? '' : `, after ${several(seen, noun)}`;
  if (silentMs > silenceMs)
    return problem(`No answer within ${Math.round(silentMs / 1000)} s${after}${trouble}.`, nextSteps[3](at));
  return ok(
    `The custodian answers, and takes the credentials. In ${patienceMs / 1000} s ${several(seen, noun)} could be read: a run takes longer.`,
  );
}

/** What the books know to be there and the custodian does not list: a key of somebody else reads that very well. */
async function holdAgainstBooks(patient: Reader, name: CustodianCheck, reading: BegunReading): Promise<Opinion> {
  const { noun, exclude, variable } = access[name](patient.config);
  const read = `The custodian answers, and takes the credentials: ${several(reading.holdings.length, noun)} read`;
  if (!patient.hasBooks)
    return warning(`${read}. Not compared with those that the books know: source comes first.`, null);
  const held = new Set(reading.holdings.map(({ externalId }) => externalId));
  const known = await knownToBooks(patient, name);
  const unlisted = known.filter((id) => !held.has(id) && !exclude.has(id));
  if (unlisted.length === 0) return ok(`${read}, all ${known.length} that the books know among them.`);
  return (unlisted.length === known.length ? problem : warning)(
    `${read}, but not ${unlisted.length} of the ${known.length} that the books know (${some(unlisted)}).`,
    unlisted.length === known.length
      ? `Are the credentials those of the firm and the environment that the books are of? ${whereReasons}`
      : `If they are gone, name them in ${variable}; if they are not, the listing is not whole. ${whereReasons}`,
  );
}

function several(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
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
