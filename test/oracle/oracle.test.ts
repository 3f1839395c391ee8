import { expect, test } from 'vitest';
import type { Comparison, Cut, Finding } from '../../src/checks/check.ts';
import type { CheckName } from '../../src/checks/names.ts';
import { Shared } from '../../src/checks/shared.ts';
import type { Transaction } from '../../src/database/database.ts';
import { cutAt, databaseChecks, rolledBack, runCheck } from '../support/run-check.ts';
import { faultyHost } from '../support/scenario.ts';
import { loadHost, type Host } from './host-tables.ts';
import { apply, describeMutation, randomMutation, type Mutation } from './mutation.ts';
import { writeRandomBooks } from './random-books.ts';
import { ledgerTotals, recordTotals, type Totals } from './totals.ts';
import { judge, momentOf, recordChecks } from './truth.ts';
import { line, report } from './verdict.ts';

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
    const differences: string[] = [];
    const shared = new Shared(); // as in a run
    for (const check of databaseChecks) differences.push(...(await differencesOf(sql, { check, shared }, tables)));
    return differences;
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

const moment = momentOf(cutAt);

async function differencesOf(
  sql: Transaction,
  { check, shared }: { check: CheckName; shared: Cut['shared'] },
  tables: Host,
): Promise<string[]> {
  const { findings, totals } = await runCheck(sql, check, { shared });
  const records = recordChecks[check];
  const verdicts = judge(check, tables, moment);
  const expectedTotals = records ? recordTotals(tables, records.kind, moment, records.deadline) : ledgerTotals(tables);
  return [
    ...compareFindings(findings, report(verdicts)),
    ...compareTotals(check, totalsOf(check, totals), expectedTotals),
  ];
}

function compareFindings(findings: Finding[], expected: Map<string, Set<string>>): string[] {
  const found = new Map(findings.map((finding) => [`${finding.check} ${finding.subject}`, lineOf(finding)]));
  const subjects = new Set([...found.keys(), ...expected.keys()]);
  return [...subjects]
    .filter((subject) => expected.get(subject)?.has(found.get(subject) ?? '') !== true)
    .map(
      (subject) =>
        `${subject}\n  SQL:    ${found.get(subject) ?? 'nothing'}\n  oracle: ${[...(expected.get(subject) ?? ['nothing'])].join(' or ')}`,
    );
}

function lineOf(finding: Finding): string {
  const also = (finding.metadata['also'] ?? []) as string[];
  return line({ ...finding, user: finding.affectedUserId }, finding.severity, also);
}

function totalsOf(check: CheckName, totals: Comparison['totals']): Totals {
  const ofMoney = check === 'ledger_consistency' ? totals.slice(1) : totals; // its first row counts transactions
  return Object.fromEntries(
    ofMoney.map((row) => [
      row.currency ?? 'none',
      `${row.expected} / ${row.actual}, ${row.awaited} ${row.awaitedAmount}, ${row.inFlight} ${row.inFlightAmount}`,
    ]),
  );
}

/** A currency in which nothing was compared may be left out. */
function compareTotals(check: CheckName, found: Totals, expected: Totals): string[] {
  const nothing = '0 / 0, 0 0, 0 0';
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])]
    .filter((currency) => (found[currency] ?? nothing) !== (expected[currency] ?? nothing))
    .map(
      (currency) =>
        `${check} totals of ${currency}\n  SQL:    ${found[currency] ?? 'nothing'}\n  oracle: ${expected[currency] ?? 'nothing'}`,
    );
}
