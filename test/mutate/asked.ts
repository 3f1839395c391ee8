import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checks } from '../../src/checks/index.ts';
import { openDatabase, query, type Database, type Transaction } from '../../src/database/database.ts';
import { databaseProblem, isUnreachable } from '../../src/database/problem.ts';
import { askCanary } from '../../src/run/canary.ts';
import { shipped } from '../../src/shipped.ts';
import { differences, truthOf } from '../oracle/differences.ts';
import { loadHost } from '../oracle/host-tables.ts';
import { createDatabase } from '../support/database-server.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { databaseChecks, inCut } from '../support/run-check.ts';
import { allBooks, inSchema, storeBooks, type Books } from './books.ts';
import { Memory, type Said } from './memory.ts';
import { Asking, questionsAbout, windowOf, type Answer } from './questions.ts';
import { asServed, filesReadBy } from './served.ts';

/** A question that the unbroken checks have answered. */
export interface Asked {
  title: string;
  /** The files that were read for it. */
  files: ReadonlySet<string>;
  /** The statements that were asked for it. */
  said: readonly Said[];
  /** What the checks say to it now. */
  again: () => Promise<Now>;
}

/** `same`: the answer, and what was looked at for it. `more`: the answer, but more was looked at. Else `other`. */
type Now = 'same' | 'more' | 'other';

/** Everything that was asked about the books, and whom it was asked. */
export interface Questions {
  asked: readonly Asked[];
  memory: Memory;
  /** Whether PostgreSQL prepares a statement. */
  understands: (statement: string) => Promise<boolean>;
  close: () => Promise<void>;
}

/** Stores all books in a PostgreSQL of their own, and asks the unbroken checks about them; nothing if it is not needed. */
export async function askQuestions(areNeeded: boolean): Promise<Questions> {
  const memory = new Memory();
  if (!areNeeded)
    return { asked: [], memory, understands: () => Promise.resolve(true), close: () => Promise.resolve() };
  const server = await startPostgres({ inMemory: true });
  const database = openDatabase((await createDatabase(server.url, 'recon_mutate')).url, { connections: 2 });
  const textbook = await mkdtemp(join(tmpdir(), 'recon-textbook-'));
  const close = async () => {
    await database.end();
    await server.stop();
    await rm(textbook, { recursive: true });
  };
  try {
    await cp(shipped('sql/source/stack_service'), textbook, { recursive: true });
    await cp(new URL('./textbook', import.meta.url), textbook, { recursive: true });
    await leaveWordsWithoutState(join(textbook, 'deposits.sql'));
    const asked = await askAboutCanary(database, memory);
    const books = allBooks(textbook);
    for (const one of books) asked.push(...(await askAboutBooks(database, one, memory)));
    const { schema } = books[0]!; // the tables are the same in all of them
    return { asked, memory, understands: (statement) => prepares(database, schema, statement), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A mapping of the first host's deposits in which a status with a word of its own is in none of the states. */
async function leaveWordsWithoutState(file: string): Promise<void> {
  const mapped = await readFile(file, 'utf8');
  const unmapped = mapped.replace(/^ *else 'unknown'\n/m, '');
  if (unmapped === mapped) throw new Error(`${file} says of no word that its state is unknown.`);
  await writeFile(file, unmapped);
}

/**
 * What the unbroken checks answer about some books, question by question. Throws where it is not what the oracle says:
 * then nothing can be learnt from broken ones.
 */
async function askAboutBooks(database: Database, books: Books, memory: Memory): Promise<Asked[]> {
  await storeBooks(database, books);
  await inSchema(database, books.schema, (sql) => holdAgainstOracle(sql, books, memory));
  const asked: Asked[] = [];
  for (const name of databaseChecks)
    for (const question of questionsAbout(books)) {
      const ask = () => inSchema(database, books.schema, (sql) => question(new Asking(sql, name, books, memory)));
      const title = `${books.schema}, ${name}, ${question.name}`;
      const isSame = (said: readonly Said[]) =>
        inSchema(database, books.schema, (sql) => sayTheSame(memory, sql, said));
      asked.push(await askOnce({ title, isExact: books.faults === 'none', ask, isSame }));
    }
  return asked;
}

async function holdAgainstOracle(sql: Transaction, books: Books, memory: Memory): Promise<void> {
  const tables = await loadHost(sql);
  for (const name of databaseChecks) {
    const proven = await new Asking(sql, name, books, memory).run({ window: windowOf(false, []) });
    const different = books.source === undefined ? differences(name, proven, truthOf(name, tables)) : [];
    if (different.length > 0) throw new Error(`${books.schema}: ${different.join('\n')}`);
    books.found[name] = proven.findings;
    books.waiting[name] = proven.handover?.waiting ?? [];
  }
}

/** What the canary says, check by check. */
async function askAboutCanary(database: Database, memory: Memory): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const name of databaseChecks) {
    const ask = () =>
      inSchema(database, 'public', (sql) =>
        inCut(sql, name, {}, async (cut) => {
          const said: Said[] = [];
          const { problem } = await askCanary(
            memory.of(cut, 'canary', (one) => said.push(one)),
            checks[name],
          );
          if (problem !== null) throw problem;
          return { text: '', lookedAt: new Set<string>(), said };
        }),
      );
    const isSame = (said: readonly Said[]) => inSchema(database, 'public', (sql) => sayTheSame(memory, sql, said));
    asked.push(await askOnce({ title: `canary, ${name}`, isExact: false, ask, isSame }));
  }
  return asked;
}

/** What is asked, and of whom. */
interface Question {
  title: string;
  /** Whether it matters that more is looked at. */
  isExact: boolean;
  ask: () => Promise<Answer>;
  /** Whether all these statements still say the same. */
  isSame: (said: readonly Said[]) => Promise<boolean>;
}

async function askOnce({ title, isExact, ask, isSame }: Question): Promise<Asked> {
  const before = await filesReadBy(ask);
  const { text, lookedAt, said } = before.result;
  const again = async (): Promise<Now> => {
    const broken = said.filter((one) => asServed(one.text) !== one.text);
    if (await isSame(broken)) return 'same'; // and so is whatever follows from them
    const after = await filesReadBy(ask);
    if (after.result.text !== text) return 'other';
    const isMore = !within(after.files, before.files) || !within(after.result.lookedAt, lookedAt);
    return isMore ? (isExact ? 'other' : 'more') : 'same';
  };
  return { title, files: before.files, said, again: () => noticed(again) };
}

async function sayTheSame(memory: Memory, sql: Transaction, said: readonly Said[]): Promise<boolean> {
  for (const one of said) if (!(await memory.saysTheSame(sql, one, asServed(one.text)))) return false;
  return true;
}

function within(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...some].every((one) => others.has(one));
}

async function prepares(database: Database, schema: string, statement: string): Promise<boolean> {
  try {
    await inSchema(database, schema, (sql) => query(sql, `prepare tried as ${statement}\n; deallocate tried`));
    return true;
  } catch (error) {
    if (/^(0A|22|42)/.test(databaseProblem(error)?.code ?? '')) return false; // its words, its constants or its types
    throw error;
  }
}

/** Whatever is thrown is noticed as well: a statement that takes too long, or divides by nothing. */
async function noticed(again: () => Promise<Now>): Promise<Now> {
  try {
    return await again();
  } catch (error) {
    if (isUnreachable(databaseProblem(error)?.code ?? '')) throw error; // no doing of the mutant
    return 'other';
  }
}
