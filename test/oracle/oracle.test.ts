import { expect, test } from 'vitest';
import { Shared } from '../../src/checks/shared.ts';
import { databaseChecks, rolledBack, runCheck } from '../support/run-check.ts';
import { faultyHost } from '../support/scenario.ts';
import { differences, truthOf } from './differences.ts';
import { loadHost } from './host-tables.ts';
import { apply, describeMutation, randomMutation, type Mutation } from './mutation.ts';
import { writeRandomBooks } from './random-books.ts';

/** RECON_SEED replays one seed; RECON_SEEDS says how many, 30 if unset (`npm run test:long` asks for more). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '30' } = process.env;
const seeds =
  replayed === undefined ? Array.from({ length: Number(count) }, (_, index) => index + 1) : [Number(replayed)];

const host = await faultyHost();

test.each(seeds)('the SQL agrees with the oracle on seed %i', { timeout: 120_000 }, async (seed) => {
  const mutations = mutationsOf(seed);
  const differences = await differencesAfter(seed, mutations);
  if (differences.length === 0) return;
  const needed = await withoutNeedless(seed, mutations);
  const story = [...needed.map(describeMutation), ...(await differencesAfter(seed, needed))];
  expect.fail(`RECON_SEED=${seed}\n${story.join('\n')}`);
});

/** None to eight faults. */
function mutationsOf(seed: number): Mutation[] {
  const { random } = writeRandomBooks(seed);
  return Array.from({ length: random.integer(0, 8) }, () => randomMutation(random));
}

/** What SQL and oracle say differently about the seed's books with these faults. */
async function differencesAfter(seed: number, mutations: Mutation[]): Promise<string[]> {
  return rolledBack(host, async (sql) => {
    await writeRandomBooks(seed).save(sql);
    for (const mutation of mutations) await apply(sql, mutation);
    const tables = await loadHost(sql);
    const all: string[] = [];
    const shared = new Shared(); // as in a run
    for (const check of databaseChecks)
      all.push(...differences(check, await runCheck(sql, check, { shared }), truthOf(check, tables)));
    return all;
  });
}

/** Leaves out one fault after the other as long as the two still differ. */
async function withoutNeedless(seed: number, mutations: Mutation[]): Promise<Mutation[]> {
  for (const mutation of mutations) {
    const rest = mutations.filter((other) => other !== mutation);
    if ((await differencesAfter(seed, rest)).length > 0) return withoutNeedless(seed, rest);
  }
  return mutations;
}
