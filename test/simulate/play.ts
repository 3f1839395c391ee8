import assert from 'node:assert/strict';
import nodeFetch from 'node-fetch';
import { inTransaction } from '../../src/database/database.ts';
import { checkNames, type CheckName } from '../../src/checks/names.ts';
import { actions, type Action } from '../../src/exceptions/actions.ts';
import { money } from '../../src/money.ts';
import { inStoredOrder, LifeModel, readStored, toStored, type ModelRow } from '../exceptions/life-model.ts';
import { loadHost, totalOrZero, type Host as Books } from '../oracle/host-tables.ts';
import { judge, momentOf } from '../oracle/truth.ts';
import { report } from '../oracle/verdict.ts';
import { databaseChecks } from '../support/run-check.ts';
import { reconIn, testWorld, type Outcome } from '../support/world.ts';
import type { Arena } from './arena.ts';
import { Custody, type Positions } from './custody.ts';
import { canMend, Host } from './host.ts';
import { expectBooked, type EndedRun } from './ledger-of-runs.ts';
import { Hearer, type News } from './news.ts';
import { expectMoved, findingsOf, watermarksOf, type Found } from './stored-run.ts';
import { isCommon, storyBegins, type CommonStep, type End, type Late, type Turn } from './story.ts';

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

/** What is wrong, by check and subject: the lines of which one has to be reported. */
type Truth = ReadonlyMap<string, Set<string>>;

/** Longer ago than the grace period. */
const quietMs = 6 * 60_000;

class Player {
  readonly #arena: Arena;
  readonly #tally: Tally;
  readonly #host: Host;
  readonly #custody: Custody;
  readonly #models = new Map(checkNames.map((check) => [check, new LifeModel()]));
  readonly #hearer = new Hearer();
  readonly #knownAlerts = new Set<string>();
  readonly #knownCorrections = new Set<string>();
  /** `check subject` of what only a run over everything has to see: no time tells of it. */
  readonly #silent = new Set<string>();
  readonly #runs = new Map<string, EndedRun>();
  #now = storyBegins;
  #movedAt = storyBegins;
  #corrects = false;

  constructor(arena: Arena, tally: Tally, customers: number) {
    this.#arena = arena;
    this.#tally = tally;
    this.#host = new Host(arena.sql, this.#now, customers);
    this.#custody = new Custody(arena.custodians, this.#host.users);
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
    else if (step.does === 'run') await this.#run(step.type, step.end);
    else if (step.does === 'correct') this.#corrects = step.isOn;
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
    const { sql, hook } = this.#arena;
    await this.#host.end('commit');
    this.#custody.close();
    hook.isDeaf = false;
    this.#pass(10);
    await this.#run('manual', { how: 'by itself' });
    const alerts = await sql<
      { id: string; state: string }[]
    >`select id, state from reconciliation_alerts order by number`;
    assert.deepEqual(
      alerts.filter(({ state }) => state !== 'delivered'),
      [],
      'alerts that were not delivered',
    );
    assert.deepEqual(new Set(hook.ids), new Set(alerts.map(({ id }) => id)), 'the ids that the webhook knows');
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
    const mendable = this.#rows().filter(({ row }) => row.resolved === null && canMend(row.kind, row.subject));
    const chosen = mendable[which % mendable.length]?.row;
    if (chosen !== undefined) await this.#host.mend(chosen.kind, chosen.subject);
    return chosen !== undefined;
  }

  /** All exceptions of the model. */
  #rows(): { check: CheckName; row: ModelRow }[] {
    return [...this.#models].flatMap(([check, model]) =>
      inStoredOrder(check, model.rows).map((row) => ({ check, row })),
    );
  }

  async #recon(argv: string[], end: End = { how: 'by itself' }): Promise<Outcome> {
    const { line: relay, countdown, hook, custodians } = this.#arena;
    const env = {
      DATABASE_URL: relay.url,
      ...custodians.env,
      RECONCILIATION_ALERT_WEBHOOK_URL: hook.url,
      RECONCILIATION_ALERT_MAX_AGE: '365d', // none is given up
      RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: String(this.#corrects),
      RECONCILIATION_CORRECTION_MAX_OF_A_KIND: '1000',
      LOG_LEVEL: 'silent',
      USER: 'ada',
    };
    const world = testWorld({ env, now: this.#now, asOf: this.#now });
    world.fetch = (...request) => {
      const answer = nodeFetch(...request);
      countdown.count(); // a run is struck at its requests too, once they are under way
      return answer;
    };
    const stop = () => {
      world.interrupt('SIGTERM');
    };
    if (end.how !== 'by itself')
      countdown.strikeAt(end.atMessage, () => {
        this.#count(end.how);
        (end.how === 'cut off' ? relay.cut : stop)();
      });
    const outcome = await reconIn(world, argv);
    countdown.rest();
    relay.mend();
    assert.notEqual(outcome.exitCode, 1, `a bug: ${outcome.stderr}`);
    return outcome;
  }

  async #act({ action, which, hours }: Extract<CommonStep, { does: 'act' }>): Promise<boolean> {
    const rows = this.#rows();
    const chosen = rows[which % rows.length];
    if (chosen === undefined) return false;
    const { check, row } = chosen;
    const model = this.#models.get(check)!;
    const place = inStoredOrder(check, model.rows).indexOf(row);
    const { id } = (await readStored(this.#arena.sql, check, ''))[place]!;
    const until = this.#now.getTime() + hours * 3_600_000;
    const { takes }: Action = actions[action];
    const outcome = await this.#recon([
      ...['exceptions', action, id, '--by', 'Ada', '--note', 'as agreed', '--yes'], // also where somebody else has it
      ...(takes === 'until' ? ['--until', new Date(until).toISOString()] : []),
      ...(takes === 'assignee' ? ['--to', 'Grace'] : []),
    ]);
    const done = model.act(row, { action, by: 'Ada', at: this.#now.getTime(), until, assignee: 'Grace' });
    assert.equal(outcome.exitCode, done ? 0 : 2, `${action}: ${outcome.stderr}`);
    if (done && action === 'resolve') this.#silent.add(`${check} ${row.subject}`);
    await this.#compareExceptions();
    await this.#expectNews();
    this.#count(`${action} ${done ? 'done' : 'refused'}`);
    return true;
  }

  async #run(type: Extract<CommonStep, { does: 'run' }>['type'], end: End): Promise<void> {
    const { sql } = this.#arena;
    await this.#host.save();
    const books = await this.#books();
    const positions = positionsOf(books);
    const truth = new Map([...this.#wrongIn(books), ...this.#custody.truth(positions, this.#now)]);
    const { unknown } = this.#custody;
    const before = await watermarksOf(sql);
    const flags = type === 'narrowed' ? ['--type', 'manual', '--since', '2h'] : ['--type', type];
    for (const { at, what } of this.#custody.troubles) this.#count(`${at}: ${what}`);
    this.#custody.open(positions);
    const { stderr } = await this.#recon(['run', ...flags, '--fail-on', 'never'], end);
    this.#custody.close();
    this.#arena.hook.isDeaf = false;
    const [stored] = await sql<{ id: string; has_verdict: boolean }[]>`
      select report.id, report.metadata ? 'verdict' as has_verdict
      from reconciliation_reports as report
      where report.id <> all (${[...this.#runs.keys()]}::uuid[])`;
    if (end.how === 'by itself') assert.equal(stored?.has_verdict, true, `the run ended without a result: ${stderr}`);
    const verified = stored?.has_verdict === true ? await this.#hold(stored.id, type, truth, unknown) : [];
    await this.#holdCorrections(books);
    const couldNotTell = stored?.has_verdict === true && type !== 'narrowed' && unknown.length > 0;
    const tells = (await this.#expectNews()) || couldNotTell;
    if (stored !== undefined) this.#runs.set(stored.id, { tells, hasVerdict: stored.has_verdict });
    const { openSince } = this.#host;
    expectMoved(before, await watermarksOf(sql), { now: this.#now, openSince, verified });
    await this.#compareExceptions();
    await expectBooked(sql, this.#runs);
  }

  /** Holds a run that was stored against the truth. Returns the checks that it verified. */
  async #hold(reportId: string, type: string, truth: Truth, unknown: readonly CheckName[]): Promise<CheckName[]> {
    const { sql } = this.#arena;
    const checks = await sql<{ check_type: CheckName; status: string; passed: boolean; coverage: string | null }[]>`
      select checked.check_type, checked.status, checked.passed, checked.metadata ->> 'coverage' as coverage
      from reconciliation_checks as checked where checked.report_id = ${reportId} order by checked.check_type`;
    const asked = type === 'narrowed' ? databaseChecks : checkNames;
    assert.deepEqual(
      checks.map(({ check_type: name, status }) => `${name} ${status}`),
      asked.toSorted().map((name) => `${name} ${unknown.includes(name) ? 'failed' : 'completed'}`),
    );
    const isQuiet = this.#now.getTime() - this.#movedAt.getTime() > quietMs;
    const complete = checks.filter(({ check_type: check }) => !unknown.includes(check));
    for (const { check_type: check, passed, coverage } of complete) {
      const found = await findingsOf(sql, reportId, check);
      this.#compareFindings(check, found, truth, { type, coverage, isQuiet });
      const passes = this.#models.get(check)!.run(this.#now.getTime(), found, { clears: type !== 'narrowed' });
      assert.equal(passed, passes, `${check} passes`);
      if (type !== 'narrowed' && coverage !== 'changes')
        for (const key of [...this.#silent].filter((one) => one.startsWith(`${check} `))) this.#silent.delete(key);
    }
    return type === 'narrowed' ? [] : complete.map(({ check_type: check }) => check);
  }

  async #books(): Promise<Books> {
    return inTransaction(this.#arena.database, 'read only', loadHost);
  }

  /** What is wrong with the books now. */
  #wrongIn(books: Books): Truth {
    return report(databaseChecks.flatMap((check) => judge(check, books, momentOf(this.#now))));
  }

  /** A run writes into the books only what it has on record as a correction, and nothing is wrong after it that was not. */
  async #holdCorrections(before: Books): Promise<void> {
    const corrected = new Set<string>();
    for (const { id, exception_id: exceptionId, check_type: check, state } of await this.#newCorrections()) {
      this.#knownCorrections.add(id);
      const rows = inStoredOrder(check, this.#models.get(check)!.rows);
      const row = rows[(await readStored(this.#arena.sql, check, '')).findIndex((one) => one.id === exceptionId)]!;
      row.events.push(state === 'applied' ? 'corrected' : `correction_${state}`);
      if (state !== 'applied') continue;
      assert.equal(row.severity, 'low', `${row.subject} was corrected`);
      row.resolved = { at: this.#now.getTime(), by: 'system' };
      corrected.add(`${check} ${row.subject}`);
    }
    const after = await this.#books();
    if (corrected.size === 0) {
      assert.deepEqual(after, before, 'the books, in which a run corrected nothing');
      return;
    }
    const left = [...this.#wrongIn(before)].filter(([key]) => !corrected.has(key));
    assert.deepEqual(this.#wrongIn(after), new Map(left), 'what is wrong after corrections');
  }

  async #newCorrections() {
    return this.#arena.sql<{ id: string; exception_id: string; check_type: CheckName; state: string }[]>`
      select correction.id, correction.exception_id, exception.check_type, correction.state
      from reconciliation_corrections as correction
      inner join reconciliation_exceptions as exception on exception.id = correction.exception_id
      where correction.id <> all (${[...this.#knownCorrections]}::uuid[])
      order by exception.fingerprint collate "C"`;
  }

  /** Holds the alerts since the last time against what was news. Returns whether there was any. */
  async #expectNews(): Promise<boolean> {
    const alerts = await this.#arena.sql<{ id: string; totals: { change: string; count: number }[] }[]>`
      select alert.id, alert.body -> 'data' -> 'totals' as totals
      from reconciliation_alerts as alert
      where alert.id <> all (${[...this.#knownAlerts]}::uuid[])`;
    const told: News = {};
    for (const { id } of alerts) this.#knownAlerts.add(id);
    for (const { change, count } of alerts.flatMap(({ totals }) => totals)) told[change] = (told[change] ?? 0) + count;
    const rows = this.#rows().map(({ row }) => row);
    const news = this.#hearer.hear(rows, this.#now.getTime());
    assert.deepEqual(told, news, 'what is told');
    return Object.keys(news).length > 0;
  }

  #compareFindings(
    check: CheckName,
    found: readonly Found[],
    truth: ReadonlyMap<string, Set<string>>,
    { type, coverage, isQuiet }: { type: string; coverage: string | null; isQuiet: boolean },
  ): void {
    const lines = new Map(found.map((one) => [`${check} ${one.subject}`, one.line]));
    for (const [key, told] of lines)
      assert.ok(truth.get(key)?.has(told), `${key}\n  reported: ${told}\n  true:     ${listOf(truth.get(key))}`);
    if (type === 'narrowed') return;
    const known = new Set(
      this.#models
        .get(check)!
        .rows.filter(({ resolved }) => resolved === null)
        .map((row) => `${check} ${row.subject}`),
    );
    for (const [key, wanted] of truth) {
      if (!key.startsWith(`${check} `) || lines.has(key)) continue;
      const isSilent = coverage === 'changes' && this.#silent.has(key) && !known.has(key);
      // what was booked within the grace period may explain a difference at a custodian
      const mayMiss = isSilent || (!isQuiet && !databaseChecks.includes(check));
      assert.ok(mayMiss, `${key}\n  reported: nothing\n  true:     ${listOf(wanted)}`);
    }
  }

  async #compareExceptions(): Promise<void> {
    for (const [check, model] of this.#models) {
      const stored = await readStored(this.#arena.sql, check, '');
      const expected = toStored(check, inStoredOrder(check, model.rows));
      const columns = Object.keys(expected[0] ?? {});
      const shown = stored.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
      assert.deepEqual(shown, expected, `the exceptions of ${check}`);
    }
  }
}

function listOf(lines: Set<string> | undefined): string {
  return [...(lines ?? ['nothing'])].join(' or ');
}

function positionsOf({ accounts }: Books): Positions {
  const held = (type: string) =>
    money(
      totalOrZero(accounts.filter(({ account_type: one }) => one === type).map(({ balance }) => balance)).toFixed(),
    );
  return { circle: held('system_buffer_usdc'), alpaca: held('fiat_exposure') };
}
