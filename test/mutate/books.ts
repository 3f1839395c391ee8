import { readFile } from 'node:fs/promises';
import type { Finding } from '../../src/checks/check.ts';
import type { CheckName } from '../../src/checks/names.ts';
import { query, type Database, type Transaction } from '../../src/database/database.ts';
import { apply, everyMutation, type Mutation } from '../oracle/mutation.ts';
import { writeRandomBooks } from '../oracle/random-books.ts';
import { LedgerBuilder, withoutConstraints } from '../support/ledger.ts';
import type { Random } from '../support/random.ts';
import { cutAt, rolledBack } from '../support/run-check.ts';
import { writeCleanBooks } from '../support/scenario.ts';
import { stories, type Story } from './stories.ts';

/** Books stored in a schema of their own. */
export interface Books {
  seed: number;
  schema: string;
  /**
   * None, and the host's constraints hold: the proofs look at nothing that they need not. Few: they hold for all the
   * rest. Many: an id stands twice, and no proof holds. One: that of a story.
   */
  faults: 'none' | 'few' | 'many' | 'one';
  /** The folder of the mapping, if it is not that of the first host. */
  source: string | undefined;
  /** What a daily run found, and what it tells the next hourly run that is not final yet. */
  found: Partial<Record<CheckName, readonly Finding[]>>;
  waiting: Partial<Record<CheckName, readonly string[]>>;
}

/** How many books there are of each kind. */
const counts: Record<Books['faults'], number> = { none: 2, few: 28, many: 12, one: stories.length };

/** How many of them share out among themselves every fault that there is: the next ones do so again, in other rows. */
const shares = { few: 14, many: 4 };

/**
 * Books of every kind, not stored yet. Every fourth of them, and some stories, are those of another kind of host, whose
 * mapping is given.
 */
export function allBooks(textbook: string): Books[] {
  const kinds = Object.keys(counts) as Books['faults'][];
  return kinds.flatMap((faults) =>
    Array.from({ length: counts[faults] }, (_, number) => ({
      seed: number + 1,
      schema: `books_${faults}_${number}`,
      faults,
      source: (faults === 'one' ? stories[number]!.isOfOtherHost : number % 4 === 1) ? textbook : undefined,
      found: {},
      waiting: {},
    })),
  );
}

export async function storeBooks(database: Database, { seed, schema, faults }: Books): Promise<void> {
  await database.begin(async (sql) => {
    await sql`create schema ${sql(schema)}`;
    await sql`set local search_path to ${sql(schema)}`;
    await query(sql, await readFile(new URL('../support/host.sql', import.meta.url), 'utf8'));
    if (faults !== 'none') await withoutConstraints(sql);
    if (faults === 'one') return tell(sql, seed, stories[seed - 1]!);
    const ledger = faults === 'none' ? new LedgerBuilder({ now: cutAt, seed }) : writeRandomBooks(seed, 70);
    if (faults === 'none') writeCleanBooks(ledger, true);
    await ledger.save(sql);
    for (const fault of faultsOf(seed, faults, ledger.random)) await apply(sql, fault);
  });
}

async function tell(sql: Transaction, seed: number, { write, fault }: Story): Promise<void> {
  const ledger = new LedgerBuilder({ now: cutAt, seed });
  write(ledger, ledger.user());
  await ledger.save(sql);
  if (fault !== undefined) await query(sql, fault);
}

/** Books with few faults have together every fault but those of ids, those with many really every one. */
function faultsOf(seed: number, faults: keyof typeof shares | 'none', random: Random): Mutation[] {
  if (faults === 'none') return [];
  const all = everyMutation(random).filter(({ action }) => faults === 'many' || !action.startsWith('set id '));
  return all.filter((_fault, index) => index % shares[faults] === (seed - 1) % shares[faults]);
}

/** Runs `body` on the books of a schema. On so few rows a plan is made faster than it is weighed against others. */
export async function inSchema<T>(
  database: Database,
  schema: string,
  body: (sql: Transaction) => Promise<T>,
): Promise<T> {
  return rolledBack(database, async (sql) => {
    await query(sql, `set local search_path to ${schema}; set local statement_timeout = '5s'`);
    await query(sql, 'set local join_collapse_limit = 1; set local from_collapse_limit = 1');
    return body(sql);
  });
}
