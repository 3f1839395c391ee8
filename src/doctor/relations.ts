import { join } from 'node:path';
import type { Cut } from '../checks/check.ts';
import { inSavepoint, lockedFor, type Transaction } from '../database/database.ts';
import { databaseProblem, hidesRows, isLockTimeout, lockedText, lockNotAvailable } from '../database/problem.ts';
import { howToGrant, howToGrantReading, roleOf } from '../database/rights.ts';
import { withPlace } from '../run/mapping-problem.ts';
import { relationsOf, wrongTypesOf } from '../run/mapping-types.ts';
import { whyIncomplete } from '../run/cut.ts';
import { isShipped, type Relation, type Source } from '../source.ts';
import { ok, problem, type DatabasePatient, type Examination, type Opinion } from './examination.ts';
import { look, waitForLocks } from './look.ts';
import { judgeWords } from './words.ts';

/** That what the checks read can be read, and has the columns, types and words that they take for granted. */
export const mappedRelations: Examination<DatabasePatient> = {
  topic: 'source',
  after: 'host',
  async examine(patient) {
    const asked = relationsOf(patient.config.checks);
    const wrong = await look(patient, async (cut) => {
      const found: Found[] = [];
      for (const relation of asked) {
        const one = await inspect(cut, relation);
        if (one.lockedOut !== undefined) await waitForLocks(cut.transaction, 1); // nobody waits for it again
        found.push(one);
      }
      const locked = asked.filter((_, index) => found[index]?.lockedOut !== undefined);
      const waits = found.flatMap(({ lockedOut }) => lockedOut ?? []);
      const refusals = new Set(found.flatMap(({ refusal }) => refusal ?? []));
      return [
        ...found.flatMap(({ opinions }) => opinions),
        ...(locked.length > 0 ? [await describeLocks(cut.transaction, locked, waits)] : []),
        ...(refusals.size > 0 ? [await mayNot(`read what the checks need: ${[...refusals].join('; ')}`, cut)] : []),
      ];
    });
    return wrong.length > 0
      ? wrong
      : [ok(`${asked.length} relations can be read and have the right columns and words.`)];
  },
};

interface Found {
  opinions: Opinion[];
  /** What the role may not read: many relations are made of one table. */
  refusal?: string;
  /** What PostgreSQL said where somebody else holds what it is made of. */
  lockedOut?: Error;
}

async function inspect(cut: Cut, relation: Relation): Promise<Found> {
  try {
    return {
      opinions: await inSavepoint(cut.transaction, async (transaction) => {
        const wrong = await judgeTypes({ ...cut, transaction }, relation);
        return wrong.length > 0 ? wrong : judgeWords({ ...cut, transaction }, relation, howToMend(cut.source));
      }),
    };
  } catch (error) {
    const reason = whyIncomplete(error);
    if (reason === undefined) throw error;
    if (isLockTimeout(error)) return { opinions: [], lockedOut: error as Error };
    const said = databaseProblem(error);
    if (said?.code !== '42501')
      return {
        opinions: [problem(`${relation}: ${withPlace(reason, error, cut).message}`, howToMend(cut.source))],
      };
    if (hidesRows(said)) return { opinions: [problem(`${relation}: ${reason.message}`, null)] };
    return { opinions: [], refusal: said.message };
  }
}

async function judgeTypes(cut: Cut, relation: Relation): Promise<Opinion[]> {
  const wrong = await wrongTypesOf(cut, relation);
  return wrong.map((sentence) => problem(sentence, `Cast it in ${join(cut.source.folder, `${relation}.sql`)}.`));
}

/** A mapping that ships with recon is copied first. */
function howToMend(source: Source): string {
  return isShipped(source)
    ? `Copy ${source.folder}, change that file, and set RECONCILIATION_SOURCE to the copy.`
    : 'Mend that file.';
}

/** What the role of the checks may not do, and how a database administrator lets it. */
export async function mayNot(what: string, { transaction, source, config }: Cut): Promise<Opinion> {
  const isElsewhere = config.sourceDatabaseUrl !== config.databaseUrl;
  const how = isElsewhere ? howToGrantReading : howToGrant;
  return problem(
    `${isElsewhere ? 'The role of SOURCE_DATABASE_URL' : 'The role'} may not ${what}.`,
    isShipped(source)
      ? await how(transaction, config.schema)
      : `grant select on what your mapping reads to ${await roleOf(transaction)};`,
  );
}

async function describeLocks(
  transaction: Transaction,
  relations: readonly Relation[],
  waits: readonly Error[],
): Promise<Opinion> {
  const held = lockedText(lockNotAvailable, await lockedFor(transaction, ...waits));
  return problem(
    `Somebody holds a lock that keeps readers out, so not looked at: ${relations.join(', ')}.`,
    `Often it is a migration that was left open: let it end, and run this again.${held}`,
  );
}
