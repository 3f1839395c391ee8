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
import { apply, everyMutation, type Mutation } from '../oracle/mutation.ts';
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
   * None, and the host's constraints hold: the proofs look at nothing that they need not. Few: they hold for all the rest. Many: an id stands twice, and
   * no proof holds.
   */
  faults: 'none' | 'few' | 'many';
  /** The folder of the mapping, if it is not that of the first host. */
  source: string | undefined;
  /** What a daily run found, and what it tells the next hourly run that is not final yet. */
  found: Partial<Record<CheckName, readonly Finding[]>>;
  waiting: Partial<Record<CheckName, readonly string[]>>;
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

/** How many books there are of each kind. */
const counts = { none: 2, few: 14, many: 4 };

/** Stores the books in a PostgreSQL of their own, and asks about them; none where they are not needed. */
export async function openBooks(areNeeded: boolean): Promise<{ asked: Asked[]; close: () => Promise<void> }> {
  if (!areNeeded) return { asked: [], close: () => Promise.resolve() };
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
  for (const [faults, count] of Object.entries(counts) as [Books['faults'], number][])
    for (let number = 0; number < count; number += 1)
      asked.push(...(await askAboutBooks(database, booksOf(faults, number, textbook))));
  return { asked, close };
}

/**
 * What the unbroken checks answer about some books, question by question. Throws where it is not what the oracle says:
 * then nothing can be learnt from broken ones.
 */
async function askAboutBooks(database: Database, books: Books): Promise<Asked[]> {
  await storeBooks(database, books);
  await inSchema(database, books.schema, (sql) => holdAgainstOracle(sql, books));
  const asked: Asked[] = [];
  for (const name of databaseChecks)
    for (const question of books.faults === 'many' ? aboutManyFaults : aboutFewFaults) {
      const ask = () => inSchema(database, books.schema, (sql) => question(new Asking(sql, name, books)));
      const title = `${books.schema}, ${name}, ${question.name}`;
      asked.push(await askOnce(title, ask, books.faults === 'none'));
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

/** Every fourth of them is of another kind of host. */
function booksOf(faults: Books['faults'], number: number, textbook: string): Books {
  const source = number % 4 === 1 ? textbook : undefined;
  return { seed: number + 1, schema: `books_${faults}_${number}`, faults, source, waiting: {}, found: {} };
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
    const isClean = faults === 'none';
    if (!isClean) await withoutConstraints(sql);
    const ledger = isClean ? new LedgerBuilder({ now: cutAt, seed }) : writeRandomBooks(seed, 70);
    if (isClean) writeCleanBooks(ledger, true);
    await ledger.save(sql);
    for (const fault of faultsOf(seed, faults, ledger.random)) await apply(sql, fault);
  });
}

/** All books with few faults have together every fault but those of ids; all books with many really every one. */
function faultsOf(seed: number, faults: Books['faults'], random: Random): Mutation[] {
  if (faults === 'none') return [];
  const all = everyMutation(random).filter(({ action }) => faults === 'many' || !action.startsWith('set id '));
  return all.filter((_fault, index) => index % counts[faults] === seed - 1);
}

async function holdAgainstOracle(sql: Transaction, books: Books): Promise<void> {
  const tables = await loadHost(sql);
  for (const name of databaseChecks) {
    const proven = await new Asking(sql, name, books).run({ window: windowOf(false, []) });
    const different = books.source === undefined ? differences(name, proven, truthOf(name, tables)) : [];
    if (different.length > 0) throw new Error(`${books.schema}: ${different.join('\n')}`);
    books.found[name] = proven.findings;
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

  answer({ findings, compared, totals, details }: Comparison & { findings: Finding[] }, more = ''): Answer {
    const text = `${told(findings)} ${JSON.stringify([compared, totals, details])} ${more}`;
    return { text, lookedAt: this.#lookedAt };
  }

  /** Ids are bound as lists: `{…,…}`. */
  #watched(cut: Cut): Cut {
    const unsafe = (text: string, parameters: Parameter[]) => {
      for (const list of parameters.filter((one) => typeof one === 'string' && one.startsWith('{')))
        for (const id of String(list).slice(1, -1).split(',')) this.#lookedAt.add(id);
      return cut.transaction.unsafe(text, parameters);
    };
    const transaction = new Proxy(cut.transaction, {
      get: (target, key): unknown => (key === 'unsafe' ? unsafe : Reflect.get(target, key)),
    });
    return { ...cut, transaction };
  }
}

type Question = (asking: Asking) => Promise<Answer>;

/** The check as a daily run makes it, and what it hands over to the next hourly run. */
async function daily(asking: Asking): Promise<Answer> {
  const compared = await asking.run({ window: windowOf(false, []) });
  return asking.answer(compared, handedOver(compared));
}

async function lookingAtEverything(asking: Asking): Promise<Answer> {
  return { text: told(await asking.search()), lookedAt: new Set() };
}

/** Where all but one finding have an exception already: of each kind one finding is the new one. */
async function withExceptions(asking: Asking): Promise<Answer> {
  const found = asking.books.found[asking.name] ?? [];
  const newOnes = [...new Map(found.map((finding) => [finding.kind, finding])).values()];
  const texts: string[] = [];
  let last = asking.answer(await asking.run({ known: allBut(asking.books, undefined) }));
  for (const newOne of newOnes) {
    texts.push(last.text);
    last = asking.answer(await asking.run({ known: allBut(asking.books, newOne) }));
  }
  return { ...last, text: [...texts, last.text].join('\n') };
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
  const compared = await asking.run({ known: allBut(asking.books, asking.books.found[asking.name]?.[0]), window });
  return asking.answer(compared, JSON.stringify([compared.coverage, held, handedOver(compared)]));
}

function handedOver({ handover }: Comparison): string {
  return JSON.stringify([handover?.waiting.toSorted(), [...(handover?.checkpoints?.batches() ?? [])]]);
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
  const [yesterday, lately] = [minutesAgo(24 * 60), minutesAgo(5)]; // in the books much happens just then
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

/** The subjects of whatever the daily run found, but for one. */
function allBut({ found }: Books, one: Finding | undefined): Cut['known'] {
  const others = (findings: readonly Finding[] = []) => findings.filter((finding) => finding !== one);
  return Object.fromEntries(databaseChecks.map((name) => [name, others(found[name]).map(({ subject }) => subject)]));
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
