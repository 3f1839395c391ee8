import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/checks/check.ts';
import { actionNames, type Order } from '../../src/exceptions/actions.ts';
import { inReadOnly } from '../../src/database/database.ts';
import { countAccepted } from '../../src/exceptions/acceptance.ts';
import { changeExceptions } from '../../src/exceptions/change.ts';
import { KeptFindings } from '../../src/exceptions/kept-findings.ts';
import { Incomplete } from '../../src/incomplete.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { beginReport, type Report } from '../../src/reports.ts';
import type { CheckOutcome } from '../../src/run/outcome.ts';
import { conclude } from '../../src/run/result.ts';
import { storeRun } from '../../src/run/storage.ts';
import { testDatabase } from '../support/database.ts';
import { Random } from '../support/random.ts';
import { configOf, cutAt, openPool } from '../support/run-check.ts';
import { inStoredOrder, LifeModel, readStored, toStored, type Fault, type ModelRow } from './life-model.ts';

// Random sequences of runs, repairs, relapses and human actions, through what a run and a command call to store them.

/** RECON_SEED replays one seed; RECON_SEEDS says how many, seventy if unset (`npm run test:long` asks for more). */
const { RECON_SEED: replayed, RECON_SEEDS: count = '70' } = process.env;
const seeds =
  replayed === undefined ? Array.from({ length: Number(count) }, (_, index) => index + 1) : [Number(replayed)];
const steps = 11;

const { url, sql } = await testDatabase();
const database = openPool(url);

test('a run and people do to exceptions what the model says', { timeout: seeds.length * 2_000 }, async () => {
  for (const seed of seeds) await new Walk(seed).go();
});

const sizes = [
  { difference: '-0.5', severity: 'low' },
  { difference: '0.75', severity: 'low' },
  { difference: '-50', severity: 'medium' },
  { difference: '-50', severity: 'high' }, // by other thresholds
  { difference: '5000', severity: 'critical' },
] as const;

/** What a subject may show beside. */
const beside = [
  {},
  { stake: '60' },
  { also: ['stuck'], also_amounts: { stuck: '5' } },
  { also: ['stuck'], also_amounts: { stuck: '7' } },
];

class Walk {
  readonly #random: Random;
  readonly #prefix: string;
  readonly #model = new LifeModel();
  readonly #faults = new Map<string, DepositFault>();
  readonly #story: string[] = [];
  readonly #idOf = new Map<ModelRow, string>();
  #now = cutAt.getTime();

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#prefix = `deposit:${seed}/`;
    this.#story.push(`RECON_SEED=${seed}`);
  }

  async go(): Promise<void> {
    for (let changes = 0; changes < 4; changes += 1) this.#change();
    await this.#run('whole'); // clears what the seed before left
    await this.#compare();
    for (let step = 0; step < steps; step += 1) {
      this.#now += this.#random.integer(1, 12) * 3_600_000;
      if (this.#random.chance(0.3)) this.#change();
      if (this.#random.chance(0.5) && this.#model.rows.length > 0) await this.#act();
      else await this.#run(this.#random.pick(['whole', 'whole', 'whole', 'narrowed', 'truncated', 'incomplete']));
      await this.#compare();
    }
  }

  /** Something breaks, gets worse or better, turns into something else, or is mended. */
  #change(): void {
    const subject = `${this.#prefix}${this.#random.integer(1, 2)}`;
    const kind = this.#random.pick(['missing_in_ledger', 'amount_mismatch', this.#faults.get(subject)?.kind] as const);
    const { difference, severity } = this.#random.pick(sizes);
    const amounts = { expected: '0', actual: difference, difference, currency: 'USDC' as const };
    const metadata = this.#random.pick(beside);
    const fault = { subject, kind: kind ?? 'missing_in_ledger', severity, ...amounts, user: null, metadata };
    if (this.#random.chance(0.15)) this.#faults.delete(subject);
    else this.#faults.set(subject, fault);
    this.#story.push(`${subject}: ${JSON.stringify(this.#faults.get(subject) ?? 'in order')}`);
  }

  async #run(how: 'whole' | 'narrowed' | 'truncated' | 'incomplete'): Promise<void> {
    const at = new Date(this.#now);
    const all = [...this.#faults.values()];
    const faults = how === 'whole' ? all : how === 'incomplete' ? [] : all.slice(0, this.#random.integer(0, 1));
    const report = reportAt(at);
    await database.begin((transaction) => beginReport(transaction, 'public', report));
    const outcome = await outcomeOf(how, faults, at);
    const conclusion = conclude(report, [outcome], at, (text) => text);
    const storage = {
      database,
      schema: 'public',
      clears: how !== 'narrowed',
      signal: never,
      progress: () => undefined,
      config: configOf(),
      mask: (text: string) => text,
    };
    await storeRun(storage, conclusion, [outcome]);
    const passes = this.#model.run({ at: this.#now, report: report.id }, faults, { clears: how === 'whole' });
    this.#story.push(`${how} run sees ${faults.length}`);
    if (how !== 'incomplete') expect(conclusion.checks[0]?.passed, this.#story.join('\n')).toBe(passes);
  }

  async #act(): Promise<void> {
    const unresolved = this.#model.rows.filter(({ resolved }) => resolved === null);
    const row = this.#random.pick(unresolved.length > 0 && this.#random.chance(0.8) ? unresolved : this.#model.rows);
    const until = this.#now + this.#random.integer(1, 48) * 3_600_000;
    const by = this.#random.pick(['Ada', 'Grace']);
    const action = this.#random.pick(actionNames);
    const deed = { action, by, at: this.#now, until, assignee: `${by}’s team`, note: 'as agreed' };
    const order: Order = {
      id: this.#idOf.get(row) ?? '',
      action: deed.action,
      note: deed.note,
      until: new Date(until).toISOString(),
      assignee: deed.assignee,
    };
    const signature = { by, host: 'desk-7', at: new Date(this.#now) };
    const done = await changeExceptions(database, 'public', [order], signature).then(
      () => true,
      (error: unknown) => {
        if (error instanceof OperatorError && error.exitCode === 2) return false;
        throw error;
      },
    );
    this.#story.push(`${by}: ${deed.action} ${row.kind} of ${row.subject}${done ? '' : ', refused'}`);
    expect(done, this.#story.join('\n')).toBe(this.#model.act(row, deed));
  }

  async #compare(): Promise<void> {
    const expected = inStoredOrder('deposits', this.#model.rows);
    const stored = await readStored(sql, 'deposits', this.#prefix);
    expected.forEach((row, at) => this.#idOf.set(row, stored[at]?.id ?? ''));
    expect(stored, this.#story.join('\n')).toMatchObject(toStored('deposits', expected));
  }
}

/** Of the kinds that this walk plants. */
interface DepositFault extends Fault {
  kind: 'missing_in_ledger' | 'amount_mismatch';
  difference: string;
  currency: 'USDC';
}

const never = new AbortController().signal;

function reportAt(at: Date): Report {
  return {
    id: randomUUID(),
    run_type: 'manual',
    status: 'in_progress',
    started_at: at.toISOString(),
    completed_at: null,
    total_checks: 0,
    passed_checks: 0,
    failed_checks: 0,
    exceptions_count: 0,
    error_message: null,
    metadata: {},
    created_at: at.toISOString(),
  };
}

/** What the check `deposits` would say. */
async function outcomeOf(how: string, faults: readonly DepositFault[], at: Date): Promise<CheckOutcome> {
  const outcome = {
    name: 'deposits' as const,
    id: randomUUID(),
    startedAt: at,
    executionMs: 1,
    control: 'not asked' as const,
  };
  if (how === 'incomplete') return { ...outcome, result: new Incomplete('The table was locked.') };
  const findings = new KeptFindings();
  for (const fault of faults) findings.add(toFinding(fault));
  const accepted = await inReadOnly(database, (seen) => countAccepted(seen, 'public', findings, at));
  const comparison = {
    compared: 9,
    totals: [],
    truncated: how === 'truncated',
    details: {},
    coverage: 'everything' as const,
  };
  return { ...outcome, result: { ...comparison, findings, accepted } };
}

function toFinding({ user, ...fault }: DepositFault): Finding {
  return { check: 'deposits', description: `${fault.subject} is wrong`, affectedUserId: user, ...fault };
}
