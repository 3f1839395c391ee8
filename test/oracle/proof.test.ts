import { expect, test } from 'vitest';
import { fingerprintOf, type Finding } from '../../src/checks/check.ts';
import type { CheckName } from '../../src/checks/names.ts';
import { Shared } from '../../src/checks/shared.ts';
import type { Transaction } from '../../src/database/database.ts';
import type { Random } from '../support/random.ts';
import { databaseChecks, rolledBack, runCheck, search } from '../support/run-check.ts';
import { faultyHost } from '../support/scenario.ts';
import { apply, describeMutation, randomMutation, type Mutation } from './mutation.ts';
import { linkElsewhere, writeRandomBooks } from './random-books.ts';

/** RECON_SEED replays one seed; RECON_SEEDS says how many, 32 if unset (`npm run test:long` asks for more). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '32' } = process.env;
const seeds =
  replayed === undefined ? Array.from({ length: Number(count) }, (_, index) => index + 1) : [Number(replayed)];

const host = await faultyHost();

test.each(seeds)('proof and findings say the same on seed %i', { timeout: 120_000 }, async (seed) => {
  const { random } = linkElsewhere(writeRandomBooks(seed));
  const mutations = Array.from({ length: random.integer(0, 4) }, () => randomMutation(random));
  await rolledBack(host, async (sql) => {
    await linkElsewhere(writeRandomBooks(seed)).save(sql);
    for (const mutation of mutations) await apply(sql, mutation);
    const shared = new Shared(); // as in a run
    for (const check of databaseChecks) await hold(sql, { check, shared }, random, storyOf(seed, mutations));
  });
});

/** Whatever is known of the findings already, the check finds all of them: by its proof, and by looking at everything. */
async function hold(
  sql: Transaction,
  { check, shared }: { check: CheckName; shared: Shared },
  random: Random,
  story: string,
): Promise<void> {
  const findings = await search(sql, check, { shared });
  const subjects = findings.map(({ subject }) => subject).filter((subject) => !subject.endsWith(':null'));
  if (subjects.length === 0) return;
  const known = [...subjects.filter(() => random.integer(0, 2) > 0), ...(await strangers(sql, random))];
  const again = await runCheck(sql, check, { known: { [check]: known }, shared });
  expect(named(again.findings), `${story}\nknown: ${known.join(', ')}`).toEqual(named(findings));
}

/** What nobody has found now: an exception on it may still be open. */
async function strangers(sql: Transaction, random: Random): Promise<string[]> {
  const rows = await sql<{ subject: string | null }[]>`
    select 'entry:' || id as subject from ledger_entries
    union all select 'transaction:' || id from ledger_transactions
    union all select 'account:' || id from ledger_accounts
    union all select 'deposit:' || id from deposits
    order by subject`;
  const subjects = rows.map(({ subject }) => subject).filter((subject) => subject !== null); // a null has no id
  return subjects.filter(() => random.integer(0, 19) === 0);
}

function named(findings: readonly Finding[]): string[] {
  return findings.map((finding) => `${fingerprintOf(finding)} ${finding.difference ?? '-'}`).sort();
}

function storyOf(seed: number, mutations: readonly Mutation[]): string {
  return [`RECON_SEED=${seed}`, ...mutations.map(describeMutation)].join('\n');
}
