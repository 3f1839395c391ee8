import type { Checkpoint, Comparison, Cut, Finding, Window } from '../../src/checks/check.ts';
import { searchFindings } from '../../src/checks/findings.ts';
import { checks } from '../../src/checks/index.ts';
import type { CheckName } from '../../src/checks/names.ts';
import type { Transaction } from '../../src/database/database.ts';
import { cutAt, databaseChecks, inCut, type CheckOptions } from '../support/run-check.ts';
import type { Books } from './books.ts';
import type { Memory, Said } from './memory.ts';

export interface Answer {
  text: string;
  /** The ids that statements were asked about. */
  lookedAt: ReadonlySet<string>;
  said: readonly Said[];
}

/** One check that is asked about some books. */
export class Asking {
  readonly books: Books;
  readonly name: CheckName;
  readonly sql: Transaction;
  readonly #memory: Memory;
  readonly #options: CheckOptions;
  readonly #lookedAt = new Set<string>();
  readonly #said: Said[] = [];

  constructor(sql: Transaction, name: CheckName, books: Books, memory: Memory) {
    this.sql = sql;
    this.name = name;
    this.books = books;
    this.#memory = memory;
    this.#options = books.source === undefined ? {} : { env: ofAnotherHost(books.source) };
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
    await inCut(this.sql, this.name, this.#options, (cut) => {
      const { findings: statement } = checks[this.name].statements;
      return searchFindings(this.#watched(cut), this.name, statement!, (finding) => findings.push(finding));
    });
    return findings;
  }

  tell({ findings, compared, totals, details }: Comparison & { findings: Finding[] }): string {
    return `${told(findings)} ${JSON.stringify([compared, totals, details])}`;
  }

  answer(...texts: string[]): Answer {
    return { text: texts.join('\n'), lookedAt: this.#lookedAt, said: this.#said };
  }

  /** Ids are bound as lists: `{…,…}`. */
  #watched(cut: Cut): Cut {
    return this.#memory.of(cut, this.books.schema, (said) => {
      this.#said.push(said);
      for (const list of said.parameters.filter((one) => typeof one === 'string' && one.startsWith('{')))
        for (const id of String(list).slice(1, -1).split(',')) this.#lookedAt.add(id);
    });
  }
}

function ofAnotherHost(source: string): Record<string, string> {
  return { RECONCILIATION_SOURCE: source, RECONCILIATION_ENTRIES_PER_TRANSACTION: 'two' };
}

type Question = (asking: Asking) => Promise<Answer>;

/** The check as a daily run makes it, and what it hands over to the next hourly run. */
async function daily(asking: Asking): Promise<Answer> {
  const compared = await asking.run({ window: windowOf(false, []) });
  return asking.answer(asking.tell(compared), handedOver(compared));
}

async function lookingAtEverything(asking: Asking): Promise<Answer> {
  return asking.answer(told(await asking.search()));
}

/** Where all findings have an exception already: by itself, because it asks less than where one is new. */
async function nothingNew(asking: Asking): Promise<Answer> {
  return asking.answer(asking.tell(await asking.run({ known: allBut(asking.books, undefined) })));
}

/** Where all but one finding have an exception already: of every fourth kind one finding is the new one. */
async function oneNew(asking: Asking): Promise<Answer> {
  const { books, name } = asking;
  const ofEachKind = [...new Map((books.found[name] ?? []).map((finding) => [finding.kind, finding])).values()];
  const texts: string[] = [];
  for (const newOne of ofEachKind.filter((_finding, index) => index % 4 === books.seed % 4))
    texts.push(asking.tell(await asking.run({ known: allBut(books, newOne) })));
  return asking.answer(...texts);
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
  return asking.answer(asking.tell(compared), compared.coverage, JSON.stringify(held), handedOver(compared));
}

function handedOver({ handover }: Comparison): string {
  return JSON.stringify([handover?.waiting.toSorted(), [...(handover?.checkpoints?.batches() ?? [])]]);
}

async function ofUser(asking: Asking): Promise<Answer> {
  const { sql, books } = asking;
  const users = await sql<{ id: string }[]>`select id from users order by id`;
  const { id } = users[books.seed % users.length]!;
  return asking.answer(asking.tell(await asking.run({ params: { user_id: id } })));
}

async function since(asking: Asking): Promise<Answer> {
  return asking.answer(
    asking.tell(await asking.run({ params: { since: minutesAgo(asking.books.seed % 2 === 0 ? 60 : 24 * 60) } })),
  );
}

async function until(asking: Asking): Promise<Answer> {
  return asking.answer(
    asking.tell(await asking.run({ params: { until: minutesAgo(asking.books.seed % 2 === 0 ? 60 : 5) } })),
  );
}

const aboutFewFaults: readonly Question[] = [daily, nothingNew, oneNew, hourly];
const aboutManyFaults: readonly Question[] = [lookingAtEverything, daily, hourly, ofUser, since, until];

const aboutOneFault: readonly Question[] = [lookingAtEverything, daily, nothingNew, hourly, since, until];

export function questionsAbout({ faults }: Books): readonly Question[] {
  if (faults === 'one') return aboutOneFault;
  return faults === 'many' ? aboutManyFaults : aboutFewFaults;
}

/** What a run covers that looks at everything, or at what changed since yesterday. */
export function windowOf(onlyChanges: boolean, waiting: readonly string[]): Window {
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
  return findings.map((finding) => JSON.stringify(finding)).join('\n');
}
