import assert from 'node:assert/strict';
import { checkNames, type CheckName } from '../../src/checks/names.ts';
import { inTransaction } from '../../src/database/database.ts';
import { actions, type Action } from '../../src/exceptions/actions.ts';
import { loadHost, type Host as Books } from '../oracle/host-tables.ts';
import { databaseChecks } from '../support/run-check.ts';
import type { Arena } from './arena.ts';
import { Corrections } from './corrections.ts';
import { Custody } from './custody.ts';
import { canMend, Host } from './host.ts';
import { expectBooked, type EndedRun } from './ledger-of-runs.ts';
import { Lives } from './lives.ts';
import { Operator, type Typed } from './operator.ts';
import { expectArrived, Outbox } from './outbox.ts';
import {
  checksOf,
  exitCodeOf,
  expectExit,
  expectMoved,
  findingsOf,
  reachOf,
  watermarksOf,
  type StoredCheck,
} from './stored-run.ts';
import { isCommon, storyBegins, type CommonStep, type End, type Late, type Turn } from './story.ts';
import { expectTrue, positionsOf, wrongIn, type Truth } from './truth.ts';

/**
 * Plays stories and holds recon against what is true after every step: the oracle knows what is wrong with the books, the
 * custodians what they hold, the model of an exception's life what runs and people make of it. Throws an AssertionError
 * where they differ.
 */
export async function play(turns: readonly Turn[], arena: Arena, tally: Tally): Promise<void> {
  const player = new Player(arena, tally, 1 + Math.max(0, ...turns.map(({ customer }) => customer)));
  try {
    await player.begin();
    for (const turn of turns) await player.take(turn);
    await player.finish();
  } finally {
    await player.leave();
  }
}

/** How often what happened: a step that found nothing to do did not. */
export type Tally = Map<string, number>;

/** Longer ago than the grace period. */
const quietMs = 6 * 60_000;

type RunStep = Extract<CommonStep, { does: 'run' }>;

/** What a run is held against: what is true when it begins. */
interface Before {
  books: Books;
  truth: Truth;
  /** The checks that cannot tell. */
  unknown: CheckName[];
  watermarks: ReadonlyMap<string, Date>;
}

/** Takes the steps of a story, one after the other, and lets the time pass. */
class Player {
  readonly #arena: Arena;
  readonly #tally: Tally;
  readonly #host: Host;
  readonly #custody: Custody;
  readonly #operator: Operator;
  readonly #lives = new Lives();
  readonly #outbox = new Outbox();
  readonly #corrections = new Corrections();
  /** `check subject` of what only a run over everything has to see: no time tells of it. */
  readonly #silent = new Set<string>();
  readonly #runs = new Map<string, EndedRun>();
  #now = storyBegins;
  #movedAt = storyBegins;

  constructor(arena: Arena, tally: Tally, customers: number) {
    this.#arena = arena;
    this.#tally = tally;
    this.#host = new Host(arena.sql, this.#now, customers);
    this.#custody = new Custody(arena.custodians, this.#host.users);
    this.#operator = new Operator(arena);
  }

  async begin(): Promise<void> {
    await this.#host.open();
  }

  async leave(): Promise<void> {
    await this.#host.end('rollback');
  }

  async take({ customer, step }: Turn): Promise<void> {
    if (!isCommon(step)) {
      const silent = await this.#host.take(customer, step);
      if (silent !== undefined) this.#silent.add(silent);
      this.#movedAt = this.#now;
      this.#count(step.does);
    } else {
      this.#pass(1); // no two of these happen at the same moment
      if (await this.#takeTogether(step)) this.#count(step.does);
    }
  }

  /** Returns whether there was anything to do. */
  async #takeTogether(step: CommonStep): Promise<boolean> {
    if (step.does === 'act') return this.#act(step);
    if (step.does === 'wait') this.#pass(step.minutes);
    else if (step.does === 'run') await this.#run(step);
    else if (step.does === 'correct') this.#operator.corrects = step.isOn;
    else if (step.does === 'deafen') this.#arena.hook.isDeaf = true;
    else {
      this.#movedAt = this.#now;
      if (step.does === 'begin') return this.#begin(step.late, step.minutes);
      if (step.does === 'commit') return this.#host.end('commit');
      if (step.does === 'mend') return this.#mend(step.which);
      return this.#custody.take(step);
    }
    return true;
  }

  /** A last run that nothing disturbs: after it nobody is owed anything. */
  async finish(): Promise<void> {
    await this.#host.end('commit');
    this.#custody.close();
    this.#arena.hook.isDeaf = false;
    await this.#run({ does: 'run', type: 'manual', rest: 10, end: { how: 'by itself' } });
    await expectArrived(this.#arena.sql, this.#arena.hook);
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  #pass(minutes: number): void {
    this.#now = new Date(this.#now.getTime() + minutes * 60_000);
    this.#host.now = this.#now;
    this.#arena.clock.now = this.#now;
  }

  async #begin(late: Late, minutes: number): Promise<boolean> {
    const begins = await this.#host.begin(late);
    this.#pass(minutes);
    return begins;
  }

  async #mend(which: number): Promise<boolean> {
    const mendable = this.#lives.unresolved().filter(({ row }) => canMend(row.kind, row.subject));
    const chosen = mendable[which % mendable.length]?.row;
    if (chosen !== undefined) await this.#host.mend(chosen.kind, chosen.subject);
    return chosen !== undefined;
  }

  async #act({ action, which, hours }: Extract<CommonStep, { does: 'act' }>): Promise<boolean> {
    const all = this.#lives.all();
    const chosen = all[which % all.length];
    if (chosen === undefined) return false;
    const { check, row } = chosen;
    const at = this.#now.getTime();
    const deed = { action, by: 'Ada', note: 'as agreed', at, until: at + hours * 3_600_000, assignee: 'Grace' };
    const { takes }: Action = actions[action];
    const { exitCode, stderr } = await this.#operator.types(
      [
        ...['exceptions', action, this.#lives.idOf(row), '--by', deed.by, '--note', deed.note],
        '--yes', // also where somebody else has it
        ...(takes === 'until' ? ['--until', new Date(deed.until).toISOString()] : []),
        ...(takes === 'assignee' ? ['--to', deed.assignee] : []),
      ],
      this.#now,
    );
    const done = this.#lives.of(check).act(row, deed);
    assert.equal(exitCode, done ? 0 : 2, `${action}: ${stderr}`);
    if (done && action === 'resolve') this.#silent.add(`${check} ${row.subject}`);
    await this.#compareTold();
    this.#count(`${action} ${done ? 'done' : 'refused'}`);
    return true;
  }

  async #run({ type, rest, end }: RunStep): Promise<void> {
    if (rest > 0) this.#pass(rest);
    const before = await this.#before();
    const ended = await this.#typeRun(type, end, before);
    const reportId = await this.#newReport(ended);
    const checks = reportId === undefined ? [] : await checksOf(this.#arena.sql, reportId);
    expectExit(ended, end, checks);
    const verified = checks.length > 0 ? await this.#hold(reportId!, type, checks, before) : [];
    await this.#compareCorrections(before);
    const isNews = await this.#compareTold();
    const tells = isNews || exitCodeOf(checks) === 3;
    if (reportId !== undefined) this.#runs.set(reportId, { tells, hasVerdict: checks.length > 0 });
    const reach = reachOf(this.#now, this.#host.openSince);
    expectMoved(before.watermarks, await watermarksOf(this.#arena.sql), { verified, reach });
    if (verified.length > 0 && reach < reachOf(this.#now, undefined)) this.#count('held back by an open transaction');
    await expectBooked(this.#arena.sql, this.#runs);
  }

  async #before(): Promise<Before> {
    await this.#host.save();
    const books = await this.#books();
    const truth = new Map([...wrongIn(books, this.#now), ...this.#custody.truth(positionsOf(books), this.#now)]);
    return { books, truth, unknown: this.#custody.unknown, watermarks: await watermarksOf(this.#arena.sql) };
  }

  async #typeRun(type: RunStep['type'], end: End, { books }: Before): Promise<Typed> {
    const flags = type === 'narrowed' ? ['--type', 'manual', '--since', '2h'] : ['--type', type];
    for (const { at, what } of this.#custody.troubles) this.#count(`${at}: ${what}`);
    this.#custody.open(positionsOf(books));
    const ended = await this.#operator.types(['run', ...flags], this.#now, end);
    this.#custody.close();
    this.#arena.hook.isDeaf = false;
    if (ended.isStruck) this.#count(end.how);
    return ended;
  }

  /** Of the run that ended just now, if it got so far. */
  async #newReport({ isStruck, stderr }: Typed): Promise<string | undefined> {
    const [stored] = await this.#arena.sql<{ id: string; has_verdict: boolean }[]>`
      select report.id, report.metadata ? 'verdict' as has_verdict
      from reconciliation_reports as report
      where report.id <> all (${[...this.#runs.keys()]}::uuid[])`;
    if (!isStruck) assert.equal(stored?.has_verdict, true, `the run ended without a result: ${stderr}`);
    return stored?.id;
  }

  /** Holds a run that was stored against the truth. Returns the checks that it verified. */
  async #hold(
    report: string,
    type: RunStep['type'],
    checks: readonly StoredCheck[],
    { truth, unknown }: Before,
  ): Promise<CheckName[]> {
    const isWhole = type !== 'narrowed';
    const asked = isWhole ? checkNames : databaseChecks;
    assert.deepEqual(
      checks.map(({ name, status }) => `${name} ${status}`),
      asked.toSorted().map((name) => `${name} ${isWhole && unknown.includes(name) ? 'failed' : 'completed'}`),
    );
    const complete = checks.filter(({ status }) => status === 'completed');
    for (const check of complete) await this.#holdCheck(report, check, truth, { isWhole });
    return isWhole ? complete.map(({ name }) => name) : [];
  }

  async #holdCheck(
    report: string,
    { name, passed, coverage }: StoredCheck,
    truth: Truth,
    { isWhole }: { isWhole: boolean },
  ): Promise<void> {
    const found = await findingsOf(this.#arena.sql, report, name);
    expectTrue(name, found, truth, (key) => !isWhole || this.#mayMiss(name, key, coverage));
    for (const { kind } of found) this.#count(`found: ${kind}`);
    if (!databaseChecks.includes(name) && this.#isQuiet()) this.#count(`${name} ${passed ? 'passed' : 'failed'}`);
    const passes = this.#lives.see(name, { at: this.#now.getTime(), report }, found, { clears: isWhole });
    assert.equal(passed, passes, `${name} passes`);
    if (!isWhole || coverage === 'changes') return;
    for (const key of [...this.#silent].filter((one) => one.startsWith(`${name} `))) this.#silent.delete(key);
  }

  #mayMiss(check: CheckName, key: string, coverage: string | null): boolean {
    const isKnown = this.#lives.unresolved().some((one) => `${one.check} ${one.row.subject}` === key);
    if (coverage === 'changes' && this.#silent.has(key) && !isKnown) return true;
    // what was booked within the grace period may explain a difference at a custodian
    return !this.#isQuiet() && !databaseChecks.includes(check);
  }

  #isQuiet(): boolean {
    return this.#now.getTime() - this.#movedAt.getTime() > quietMs;
  }

  async #books(): Promise<Books> {
    return inTransaction(this.#arena.database, 'read only', loadHost);
  }

  /** Nothing is wrong after corrections that was not before. */
  async #compareCorrections({ books: before }: Before): Promise<void> {
    const after = await this.#books();
    const corrected = await this.#corrections.compare(this.#arena.sql, {
      ...{ before, after, now: this.#now },
      lives: this.#lives,
    });
    for (const { row } of corrected) this.#count(`corrected: ${row.kind}`);
    if (corrected.length === 0) return;
    const keys = new Set(corrected.map(({ check, row }) => `${check} ${row.subject}`));
    const left = [...wrongIn(before, this.#now)].filter(([key]) => !keys.has(key));
    assert.deepEqual(wrongIn(after, this.#now), new Map(left), 'what is wrong after corrections');
  }

  /** What is stored of exceptions, and then what of it is told. Returns whether there is any news. */
  async #compareTold(): Promise<boolean> {
    await this.#lives.compare(this.#arena.sql);
    return this.#outbox.compare(this.#arena.sql, this.#lives, this.#now);
  }
}
