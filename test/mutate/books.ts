import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint, Comparison, Cut, Finding, Window } from '../../src/checks/check.ts';
import { searchFindings } from '../../src/checks/findings.ts';
import { checks } from '../../src/checks/index.ts';
import type { CheckName } from '../../src/checks/names.ts';
import { openDatabase, query, type Database, type Parameter, type Transaction } from '../../src/database/database.ts';
import { askCanary } from '../../src/run/canary.ts';
import { shipped } from '../../src/shipped.ts';
import { differences, lineOf, truthOf } from '../oracle/differences.ts';
import { loadHost } from '../oracle/host-tables.ts';
import { apply, everyMutation, randomMutation, type Mutation } from '../oracle/mutation.ts';
import { writeRandomBooks } from '../oracle/random-books.ts';
import { createDatabase } from '../support/database-server.ts';
import { LedgerBuilder, withoutConstraints } from '../support/ledger.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { Random } from '../support/random.ts';
import { cutAt, databaseChecks, inCut, rolledBack, type CheckOptions } from '../support/run-check.ts';
import { writeCleanBooks } from '../support/scenario.ts';
import { filesReadBy } from './served.ts';

/** Books stored in a schema of their own. */
interface Books {
  seed: number;
  schema: string;
  /**
   * None: the proofs look at nothing that they need not. One: they hold for all the rest. Many: whatever goes wrong is in
   * them.
   */
  faults: 'none' | 'one' | 'many';
  /** The folder of the mapping, if it is not that of the first host. */
  source: string | undefined;
  /** What an hourly run is told: what is not final yet, and the subjects with exceptions. */
  waiting: Partial<Record<CheckName, readonly string[]>>;
  found: Partial<Record<CheckName, readonly string[]>>;
}

/** A question that the unbroken checks have answered. */
export interface Asked {
  title: string;
  /** The files that were read for it. */
  files: ReadonlySet<string>;
  /** What the checks say to it now. */
  again: () => Promise<Now>;
}

/** `same`: the answer, and what was looked at for it. `more`: the answer, but more was looked at. Else `other`. */
type Now = 'same' | 'more' | 'other';

/** So many books there are, of all kinds. */
const count = Number(process.env['BOOKS'] ?? 12);

/** Stores the books in a PostgreSQL of their own, and asks about them. */
export async function openBooks(): Promise<{ asked: Asked[]; close: () => Promise<void> }> {
  const server = await startPostgres({ inMemory: true });
  const database = openDatabase((await createDatabase(server.url, 'recon_mutate')).url, { connections: 2 });
  const textbook = await mkdtemp(join(tmpdir(), 'recon-textbook-'));
  const close = async () => {
    await database.end();
    await server.stop();
    await rm(textbook, { recursive: true });
  };
  await cp(shipped('sql/source/stack_service'), textbook, { recursive: true });
  await cp(new URL('./textbook.accounts.sql', import.meta.url), join(textbook, 'ledger_accounts.sql'));
  const asked = await askAboutCanary(database);
  for (let seed = 1; seed <= count; seed += 1) asked.push(...(await askAboutBooks(database, seed, textbook)));
  return { asked, close };
}

/**
 * What the unbroken checks answer about some books, question by question. Throws where it is not what the oracle says:
 * then nothing can be learnt from broken ones.
 */
async function askAboutBooks(database: Database, seed: number, textbook: string): Promise<Asked[]> {
  const faults = seed <= 2 ? 'none' : seed % 3 === 0 ? 'many' : 'one';
  const source = seed % 4 === 2 ? textbook : undefined;
  const books: Books = { seed, schema: `books_${seed}`, faults, source, waiting: {}, found: {} };
  await storeBooks(database, books);
  await inSchema(database, books.schema, (sql) => holdAgainstOracle(sql, books));
  const asked: Asked[] = [];
  for (const name of databaseChecks)
    for (const question of faults === 'many' ? aboutManyFaults : aboutFewFaults) {
      const ask = () => inSchema(database, books.schema, (sql) => question(new Asking(sql, name, books)));
      const title = `books ${seed}, ${name}, ${question.name}`;
      asked.push(await askOnce(title, ask, faults === 'none'));
    }
  return asked;
}

/** What the canary says, check by check. */
async function askAboutCanary(database: Database): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const name of databaseChecks) {
    const ask = () =>
      inSchema(database, 'public', (sql) =>
        inCut(sql, name, {}, async (cut) => {
          await askCanary(cut, checks[name]);
          return { text: '', lookedAt: new Set<string>() };
        }),
      );
    asked.push(await askOnce(`canary, ${name}`, ask, false));
  }
  return asked;
}

interface Answer {
  text: string;
  /** The ids that statements were asked about. */
  lookedAt: ReadonlySet<string>;
}

async function askOnce(title: string, ask: () => Promise<Answer>, isExact: boolean): Promise<Asked> {
  const before = await filesReadBy(ask);
  const again = async (): Promise<Now> => {
    const after = await filesReadBy(ask);
    if (after.result.text !== before.result.text) return 'other';
    const isMore = !within(after.files, before.files) || !within(after.result.lookedAt, before.result.lookedAt);
    return isMore ? (isExact ? 'other' : 'more') : 'same';
  };
  return { title, files: before.files, again: () => noticed(again) };
}

function within(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...some].every((one) => others.has(one));
}

/** Whatever is thrown is noticed as well: a statement that PostgreSQL refuses, or that takes too long. */
async function noticed(again: () => Promise<Now>): Promise<Now> {
  try {
    return await again();
  } catch {
    return 'other';
  }
}

async function storeBooks(database: Database, { seed, schema, faults }: Books): Promise<void> {
  await database.begin(async (sql) => {
    await sql`create schema ${sql(schema)}`;
    await sql`set local search_path to ${sql(schema)}`;
    await query(sql, await readFile(new URL('../support/host.sql', import.meta.url), 'utf8'));
    await withoutConstraints(sql);
    const ledger =
      faults === 'none' ? new LedgerBuilder({ now: cutAt, seed }) : writeRandomBooks(seed, faults === 'one' ? 12 : 70);
    if (faults === 'none') writeCleanBooks(ledger, true);
    await ledger.save(sql);
    for (const fault of faultsOf(seed, faults, ledger.random)) await apply(sql, fault);
  });
}

/** All books with many faults have together every fault that there is. */
function faultsOf(seed: number, faults: Books['faults'], random: Random): Mutation[] {
  if (faults === 'none') return [];
  if (faults === 'one') return [randomMutation(random)];
  return everyMutation(random).filter((_fault, index) => index % (count / 3) === seed / 3 - 1);
}

async function holdAgainstOracle(sql: Transaction, books: Books): Promise<void> {
  const tables = await loadHost(sql);
  for (const name of databaseChecks) {
    const proven = await new Asking(sql, name, books).run({ window: windowOf(false, []) });
    const different = books.source === undefined ? differences(name, proven, truthOf(name, tables)) : [];
    if (different.length > 0) throw new Error(`Books ${books.seed}: ${different.join('\n')}`);
    books.found[name] = proven.findings.map(({ subject }) => subject);
    books.waiting[name] = proven.handover?.waiting ?? [];
  }
}

/** One check that is asked about some books. */
class Asking {
  readonly books: Books;
  readonly name: CheckName;
  readonly sql: Transaction;
  readonly #options: CheckOptions;
  readonly #lookedAt = new Set<string>();

  constructor(sql: Transaction, name: CheckName, books: Books) {
    this.sql = sql;
    this.name = name;
    this.books = books;
    this.#options = books.source === undefined ? {} : { env: { RECONCILIATION_SOURCE: books.source } };
  }

  async run(options: CheckOptions): Promise<Comparison & { findings: Finding[] }> {
    return inCut(this.sql, this.name, { ...this.#options, ...options }, async (cut) => {
      const findings: Finding[] = [];
      const found = (finding: Finding) => findings.push(finding);
      return { ...(await checks[this.name].compare(this.#watched(cut), undefined, found)), findings };
    });
  }

  async search(): Promise<Finding[]> {
    const findings: Finding[] = [];
    await inCut(this.sql, this.name, this.#options, (cut) =>
      searchFindings(cut, this.name, checks[this.name].statements['findings']!, (finding) => findings.push(finding)),
    );
    return findings;
  }

  answer({ findings, compared, totals }: Comparison & { findings: Finding[] }, more = ''): Answer {
    return { text: `${told(findings)} ${JSON.stringify([compared, totals])} ${more}`, lookedAt: this.#lookedAt };
  }

  /** Ids are bound as lists: `{…,…}`. */
  #watched(cut: Cut): Cut {
    const unsafe = (text: string, parameters: Parameter[]) => {
      for (const list of parameters.filter((one) => typeof one === 'string' && one.startsWith('{')))
        for (const id of String(list).slice(1, -1).split(',')) this.#lookedAt.add(id);
      return cut.transaction.unsafe(text, parameters);
    };
    const get = (target: Transaction, key: keyof Transaction) => (key === 'unsafe' ? unsafe : target[key]);
    return {
      ...cut,
      transaction: new Proxy(cut.transaction, { get: get as ProxyHandler<Transaction>['get'] & object }),
    };
  }
}

type Question = (asking: Asking) => Promise<Answer>;

/** The check as a daily run makes it. */
async function daily(asking: Asking): Promise<Answer> {
  return asking.answer(await asking.run({}));
}

async function lookingAtEverything(asking: Asking): Promise<Answer> {
  return { text: told(await asking.search()), lookedAt: new Set() };
}

/** Where more than half of what is found is known already. */
async function withExceptions(asking: Asking): Promise<Answer> {
  return asking.answer(await asking.run({ known: someOf(asking.books) }));
}

async function hourly(asking: Asking): Promise<Answer> {
  const held: Checkpoint[] = [];
  const window = {
    ...windowOf(true, asking.books.waiting[asking.name] ?? []),
    differing: (accounts: readonly Checkpoint[]) => {
      held.push(...accounts);
      return Promise.resolve(accounts.filter((_account, index) => index % 2 === 0).map(({ account_id: id }) => id));
    },
  };
  const compared = await asking.run({ known: someOf(asking.books), window });
  const { waiting, checkpoints } = compared.handover!;
  const next = checkpoints === undefined ? [] : [...checkpoints.batches()];
  return asking.answer(compared, JSON.stringify([compared.coverage, held, waiting.toSorted(), next]));
}

async function ofUser(asking: Asking): Promise<Answer> {
  const { sql, books } = asking;
  const [user] = await sql<{ id: string }[]>`select id from users order by id offset ${books.seed % 2} limit 1`;
  return asking.answer(await asking.run({ params: { user_id: user?.id ?? new Random(books.seed).uuid() } }));
}

async function since(asking: Asking): Promise<Answer> {
  return asking.answer(await asking.run({ params: { since: minutesAgo(asking.books.seed % 2 === 0 ? 60 : 24 * 60) } }));
}

async function until(asking: Asking): Promise<Answer> {
  return asking.answer(await asking.run({ params: { until: minutesAgo(asking.books.seed % 2 === 0 ? 60 : 5) } }));
}

const aboutFewFaults: readonly Question[] = [daily, withExceptions, hourly];
const aboutManyFaults: readonly Question[] = [lookingAtEverything, daily, hourly, ofUser, since, until];

function windowOf(onlyChanges: boolean, waiting: readonly string[]): Window {
  const [yesterday, lately] = [minutesAgo(24 * 60), minutesAgo(15)];
  return {
    since: onlyChanges ? yesterday : null,
    until: lately,
    onlyChanges,
    why: null,
    provenAsOf: yesterday,
    waiting,
    differing: () => Promise.resolve([]),
  };
}

function minutesAgo(minutes: number): string {
  return new Date(cutAt.getTime() - minutes * 60_000).toISOString();
}

/** More than half of what the daily run found. */
function someOf({ seed, found }: Books): Cut['known'] {
  const random = new Random(seed);
  return Object.fromEntries(databaseChecks.map((name) => [name, (found[name] ?? []).filter(() => random.chance(0.6))]));
}

function told(findings: readonly Finding[]): string {
  return findings
    .map((finding) => `${finding.subject} ${lineOf(finding)}`)
    .sort()
    .join('; ');
}

async function inSchema<T>(database: Database, schema: string, body: (sql: Transaction) => Promise<T>): Promise<T> {
  return rolledBack(database, async (sql) => {
    await query(
      sql,
      "set local statement_timeout = '5s'; set local join_collapse_limit = 1; set local from_collapse_limit = 1; set local enable_mergejoin = off; set local max_parallel_workers_per_gather = 0",
    );
    await query(sql, `set local search_path to ${schema}`);
    return body(sql);
  });
}
