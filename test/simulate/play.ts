import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { openDatabase, inTransaction } from '../../src/database/database.ts';
import { actions, type Action } from '../../src/exceptions/actions.ts';
import type { CheckName } from '../../src/checks/names.ts';
import type { Severity } from '../../src/kinds.ts';
import { inStoredOrder, LifeModel, readStored, toStored, type Fault, type ModelRow } from '../exceptions/life-model.ts';
import { loadHost } from '../oracle/host-tables.ts';
import { judge, momentOf } from '../oracle/truth.ts';
import { line, report } from '../oracle/verdict.ts';
import { databaseChecks } from '../support/run-check.ts';
import { reconIn, testWorld, withoutCustodians, type Outcome } from '../support/world.ts';
import type { Arena } from './arena.ts';
import { Host } from './host.ts';
import { expectBooked, type EndedRun } from './ledger-of-runs.ts';
import { isCommon, storyBegins, type CommonStep, type End, type Turn } from './story.ts';

/**
 * Plays a story and holds recon against what is true after every step: the oracle knows what is wrong with the books,
 * the model of an exception's life what runs and people make of it. Throws an AssertionError where they differ.
 */
export async function play(turns: readonly Turn[], arena: Arena): Promise<void> {
  const player = new Player(arena, 1 + Math.max(0, ...turns.map(({ customer }) => customer)));
  try {
    await player.begin();
    for (const turn of turns) await player.take(turn);
    await player.finish();
  } finally {
    await player.leave();
  }
}

class Player {
  readonly #arena: Arena;
  readonly #host: Host;
  readonly #models = new Map(databaseChecks.map((check) => [check, new LifeModel()]));
  /** `check subject` of what only a run over everything has to see: no time tells of it. */
  readonly #silent = new Set<string>();
  readonly #runs = new Map<string, EndedRun>();
  #now = storyBegins;

  constructor(arena: Arena, customers: number) {
    this.#arena = arena;
    this.#host = new Host(arena.sql, this.#now, customers);
  }

  async begin(): Promise<void> {
    await this.#host.save();
  }

  async leave(): Promise<void> {
    await this.#host.end('rollback');
  }

  async take({ customer, step }: Turn): Promise<void> {
    if (!isCommon(step)) {
      const silent = await this.#host.take(customer, step);
      if (silent !== undefined) this.#silent.add(silent);
    } else {
      this.#pass(1); // no two of these happen at the same moment
      await this.#takeTogether(step);
    }
  }

  async #takeTogether(step: CommonStep): Promise<void> {
    if (step.does === 'wait') this.#pass(step.minutes);
    if (step.does === 'begin') await this.#host.begin(step.late);
    if (step.does === 'commit') await this.#host.end('commit');
    if (step.does === 'run') await this.#run(step.type, step.end);
    if (step.does === 'act') await this.#act(step);
    if (step.does === 'mend') await this.#mend(step.which);
  }

  /** A last run that nothing disturbs: after it nobody is owed anything. */
  async finish(): Promise<void> {
    const { sql, hook } = this.#arena;
    await this.#host.end('commit');
    this.#pass(1);
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

  #pass(minutes: number): void {
    this.#now = new Date(this.#now.getTime() + minutes * 60_000);
    this.#host.now = this.#now;
  }

  async #mend(which: number): Promise<void> {
    const open = this.#rows().filter(({ row }) => row.resolved === null);
    const chosen = open[which % open.length]?.row;
    if (chosen !== undefined) await this.#host.mend(chosen.kind, chosen.subject);
  }

  /** All exceptions of the model. */
  #rows(): { check: CheckName; row: ModelRow }[] {
    return [...this.#models].flatMap(([check, model]) =>
      inStoredOrder(check, model.rows).map((row) => ({ check, row })),
    );
  }

  async #recon(argv: string[], end: End = { how: 'by itself' }): Promise<Outcome> {
    const { line: relay, hook } = this.#arena;
    const env = {
      DATABASE_URL: relay.url,
      RECONCILIATION_CHECKS: withoutCustodians,
      RECONCILIATION_ALERT_WEBHOOK_URL: hook.url,
      LOG_LEVEL: 'silent',
      USER: 'ada',
    };
    const world = testWorld({ env, now: this.#now, asOf: this.#now });
    const stop = () => {
      world.interrupt('SIGTERM');
    };
    const blow = end.how === 'cut off' ? relay.cut : stop;
    if (end.how !== 'by itself') relay.strikeAt(end.atMessage, blow);
    const outcome = await reconIn(world, argv);
    relay.mend();
    assert.notEqual(outcome.exitCode, 1, `a bug: ${outcome.stderr}`);
    return outcome;
  }

  async #act({ action, which, hours }: Extract<CommonStep, { does: 'act' }>): Promise<void> {
    const rows = this.#rows();
    const chosen = rows[which % rows.length];
    if (chosen === undefined) return;
    const { check, row } = chosen;
    const model = this.#models.get(check)!;
    const place = inStoredOrder(check, model.rows).indexOf(row);
    const { id } = (await readStored(this.#arena.sql, check, ''))[place]!;
    const until = this.#now.getTime() + hours * 3_600_000;
    const { takes }: Action = actions[action];
    const outcome = await this.#recon([
      ...['exceptions', action, id, '--by', 'Ada', '--note', 'as agreed'],
      ...(takes === 'until' ? ['--until', new Date(until).toISOString()] : []),
      ...(takes === 'assignee' ? ['--to', 'Grace'] : []),
    ]);
    const done = model.act(row, { action, by: 'Ada', at: this.#now.getTime(), until, assignee: 'Grace' });
    assert.equal(outcome.exitCode, done ? 0 : 64, `${action}: ${outcome.stderr}`);
    if (done && action === 'resolve') this.#silent.add(`${check} ${row.subject}`);
    await this.#compareExceptions();
  }

  async #run(type: Extract<CommonStep, { does: 'run' }>['type'], end: End): Promise<void> {
    const { sql } = this.#arena;
    await this.#host.save();
    const before = await watermarksOf(sql);
    const flags = type === 'narrowed' ? ['--type', 'manual', '--since', '2h'] : ['--type', type];
    const { stderr } = await this.#recon(['run', ...flags, '--fail-on', 'never'], end);
    const [stored] = await sql<{ id: string; has_verdict: boolean }[]>`
      select report.id, report.metadata ? 'verdict' as has_verdict
      from reconciliation_reports as report
      where report.id <> all (${[...this.#runs.keys()]}::uuid[])`;
    if (end.how === 'by itself') assert.equal(stored?.has_verdict, true, `the run ended without a result: ${stderr}`);
    let tells = false;
    if (stored?.has_verdict === true) tells = await this.#stored(stored.id, type);
    if (stored !== undefined) this.#runs.set(stored.id, { tells, hasVerdict: stored.has_verdict });
    const mayMove = stored?.has_verdict === true && type !== 'narrowed';
    expectMoved(before, await watermarksOf(sql), { now: this.#now, openSince: this.#host.openSince, mayMove });
    await this.#compareExceptions();
    await expectBooked(sql, this.#runs);
  }

  /** Holds a run that was stored against the truth. Returns whether somebody has to be told of it. */
  async #stored(reportId: string, type: string): Promise<boolean> {
    const { sql } = this.#arena;
    const checks = await sql<{ check_type: CheckName; status: string; passed: boolean; coverage: string | null }[]>`
      select checked.check_type, checked.status, checked.passed, checked.metadata ->> 'coverage' as coverage
      from reconciliation_checks as checked where checked.report_id = ${reportId} order by checked.check_type`;
    assert.deepEqual(
      checks.map(({ status }) => status),
      checks.map(() => 'completed'),
    );
    assert.deepEqual(
      checks.map(({ check_type: name }) => name),
      databaseChecks.toSorted(),
    );
    const truth = await this.#truth();
    let isLoud = false;
    for (const { check_type: check, passed, coverage } of checks) {
      const found = await findingsOf(sql, reportId, check);
      this.#compareFindings(check, found, truth, { type, coverage });
      const model = this.#models.get(check)!;
      const eventsBefore = new Map(model.rows.map((row) => [row, row.events.length]));
      const passes = model.run(this.#now.getTime(), found, { clears: type !== 'narrowed' });
      assert.equal(passed, passes, `${check} passes`);
      isLoud ||= model.rows.some((row) => row.events.slice(eventsBefore.get(row)).some((event) => isTold(row, event)));
      if (type !== 'narrowed' && coverage !== 'changes')
        for (const key of [...this.#silent].filter((one) => one.startsWith(`${check} `))) this.#silent.delete(key);
    }
    return isLoud;
  }

  /** What is wrong with the books now, by check and subject. */
  async #truth(): Promise<Map<string, Set<string>>> {
    const database = openDatabase(this.#arena.line.url, { connections: 1 });
    try {
      const host = await inTransaction(database, 'read only', loadHost);
      return report(databaseChecks.flatMap((check) => judge(check, host, momentOf(this.#now))));
    } finally {
      await database.end({ timeout: 1 });
    }
  }

  #compareFindings(
    check: CheckName,
    found: readonly Found[],
    truth: ReadonlyMap<string, Set<string>>,
    { type, coverage }: { type: string; coverage: string | null },
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
      const mayMiss = coverage === 'changes' && this.#silent.has(key) && !known.has(key);
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

/** DESIGN §10: new, escalated and cleared exceptions of high and critical severity. */
function isTold({ severity, resolved }: ModelRow, event: string): boolean {
  const isLoud = severity === 'high' || severity === 'critical';
  if (!isLoud || !['created', 'returned', 'escalated', 'acceptance_ended', 'cleared'].includes(event)) return false;
  return resolved === null || event === 'cleared' || event === 'created' || event === 'returned';
}

interface Found extends Fault {
  /** As the oracle writes it. */
  line: string;
}

async function findingsOf(sql: postgres.Sql, reportId: string, check: CheckName): Promise<Found[]> {
  const rows = await sql<
    (Record<'kind' | 'subject', string> &
      Record<'expected' | 'actual' | 'difference' | 'currency' | 'user', string | null> & {
        severity: Severity;
        also: string[] | null;
      })[]
  >`
    select
      exception.kind, exception.affected_entity as subject, finding.expected_value as expected,
      finding.actual_value as actual, finding.difference, finding.currency, finding.severity,
      exception.affected_user_id as user, exception.metadata -> 'also' as also
    from reconciliation_findings as finding
    inner join reconciliation_exceptions as exception on exception.id = finding.exception_id
    where finding.report_id = ${reportId} and exception.check_type = ${check}
    order by exception.fingerprint collate "C"`;
  return rows.map((row) => ({
    subject: row.subject,
    kind: row.kind,
    difference: row.difference,
    severity: row.severity,
    line: line(row, row.severity, row.also ?? []),
  }));
}

async function watermarksOf(sql: postgres.Sql): Promise<Map<string, Date>> {
  const rows = await sql<{ check_type: string; through: Date }[]>`
    select check_type, verified_through as through from reconciliation_watermarks`;
  return new Map(rows.map(({ check_type: check, through }) => [check, through]));
}

/**
 * How far a check is verified goes on with a whole run that was stored, stays behind it and behind what is not committed,
 * and never goes back.
 */
function expectMoved(
  before: Map<string, Date>,
  after: Map<string, Date>,
  { now, openSince, mayMove }: { now: Date; openSince: Date | undefined; mayMove: boolean },
): void {
  if (!mayMove) assert.deepEqual(after, before, 'verified_through of a run that verified nothing');
  const furthest = new Date(now.getTime() - 15 * 60_000);
  for (const [check, through] of after) {
    const most = openSince !== undefined && openSince < furthest ? openSince : furthest;
    assert.ok(through <= most, `${check} is verified through ${through.toISOString()}`);
    assert.ok(through >= (before.get(check) ?? through), `verified_through of ${check} went back`);
  }
}
