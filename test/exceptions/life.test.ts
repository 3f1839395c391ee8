import { describe, expect, test } from 'vitest';
import type postgres from 'postgres';
import { LedgerBuilder, withoutConstraints, type User } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { testDatabase } from '../support/database.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { operatorOf, type Operator } from '../support/world.ts';
import { versionOf, type StoredException } from '../../src/exceptions/exception.ts';

interface Desk extends Operator {
  url: string;
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
}

interface Stored {
  id: string;
  kind: string;
  severity: string;
  difference: string | null;
  occurrences: number;
  created_at: Date;
  last_seen_at: Date;
  report_id: string;
  last_report_id: string;
  resolved_at: Date | null;
  resolved_by: string | null;
  resolution_notes: string | null;
  previous_exception_id: string | null;
  accepted_until: Date | null;
}

/** Books in order, and somebody who runs recon over them. */
async function desk(checks = 'deposits'): Promise<Desk> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  const ada = ledger.user();
  for (let count = 0; count < 6; count += 1) ledger.deposit(ada, '10', { minutesAgo: 60 + 1440 * count });
  await ledger.save(sql);
  return { ...operatorOf(url, { RECONCILIATION_CHECKS: checks }), url, sql, ledger, ada };
}

/** The exceptions about one subject, the oldest first. */
async function exceptionsOf(sql: postgres.Sql, subject: string): Promise<Stored[]> {
  return sql<Stored[]>`
    select * from reconciliation_exceptions where affected_entity = ${subject} order by created_at, resolved_at`;
}

async function eventsOf(sql: postgres.Sql, id: string): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select event || ' by ' || actor || coalesce(': ' || note, '') as line
    from reconciliation_exception_events where exception_id = ${id} order by sequence`;
  return rows.map(({ line }) => line);
}

/** Why each acceptance ended, the oldest first. */
async function whyEnded(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ why: string }[]>`
    select details ->> 'why' as why from reconciliation_exception_events
    where event = 'acceptance_ended' order by sequence`;
  return rows.map(({ why }) => why);
}

/** By what a worklist knows its amounts. */
function seenAs(exception: object): string {
  return versionOf(exception as StoredException);
}

describe('the life of an exception', { timeout: 120_000 }, () => {
  test('is new, then seen again: what was seen moves on, where it began does not', async () => {
    const { sql, ledger, ada, runs } = await desk();
    const { id, subject } = ledger.deposit(ada, '100', { postedAmount: '99.5' });
    await ledger.save(sql);

    const first = await runs();
    const [created, ...none] = await exceptionsOf(sql, subject);
    expect(none).toEqual([]);
    expect(created).toMatchObject({
      kind: 'amount_mismatch',
      severity: 'low',
      difference: '-0.5',
      occurrences: 1,
      report_id: first.report.id,
      last_report_id: first.report.id,
      resolved_at: null,
      previous_exception_id: null,
    });
    expect(created!.last_seen_at).toEqual(created!.created_at);
    expect(await eventsOf(sql, created!.id)).toEqual(['created by system']);

    await sql`update deposits set amount = 5099.5 where id = ${id}`;
    const second = await runs();
    const [seen, ...others] = await exceptionsOf(sql, subject);
    expect(others).toEqual([]);
    expect(seen).toMatchObject({
      id: created!.id,
      severity: 'critical',
      difference: '-5000',
      occurrences: 2,
      report_id: first.report.id,
      last_report_id: second.report.id,
      created_at: created!.created_at,
      resolved_at: null,
    });
    expect(seen!.last_seen_at.getTime()).toBeGreaterThan(seen!.created_at.getTime());
    expect(await eventsOf(sql, created!.id)).toEqual(['created by system', 'escalated by system']);
    expect(second.report['exceptions_count']).toBe(1);

    const sightings = await sql`
      select report_id, severity, difference from reconciliation_findings
      where exception_id = ${created!.id} order by difference desc`;
    expect([...sightings]).toEqual([
      { report_id: first.report.id, severity: 'low', difference: '-0.5' },
      { report_id: second.report.id, severity: 'critical', difference: '-5000' },
    ]);
  });

  test('stays accepted while both sides grow and its difference does not', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id } = ledger.deposit(ada, '100', { postedAmount: '99' });
    await ledger.save(sql);
    const { exceptions } = await runs();
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    await withoutConstraints(sql);
    await sql`update deposits set amount = amount + 5 where id = ${id}`;
    await sql`update ledger_entries set amount = amount + 5 where amount = 99`;
    expect((await runs(['--check', 'deposits'])).exitCode).toBe(0);
    await sql`update deposits set amount = amount + 5 where id = ${id}`;
    expect((await runs(['--check', 'deposits'])).exitCode).toBe(2);
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    ledger.deposit(ada, '100', { postedAmount: '94' }); // another one, by the same amount
    await ledger.save(sql);
    const { checks, exceptions: both } = await runs(['--check', 'deposits']);
    expect(both.map(({ difference }) => difference)).toEqual(['-6', '-6']);
    expect(checks).toMatchObject([{ passed: false, metadata: { findings: 2, accepted: 1 } }]);
  });

  test('is accepted for no more that went to somebody else', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const bob = ledger.user();
    const { id } = ledger.deposit(ada, '500', { post: false });
    const own = ledger.postDeposit(ada, id, '499');
    ledger.postDeposit(bob, id, '1');
    await ledger.save(sql);
    const { exceptions } = await runs();
    expect(exceptions).toMatchObject([{ kind: 'wrong_account', difference: null, metadata: { stake: '500' } }]);
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    expect((await runs()).exitCode).toBe(0);
    ledger.reversal(own);
    ledger.postDeposit(bob, id, '499');
    await ledger.save(sql);
    await sql`update ledger_transactions set status = 'reversed' where id = ${own.id}`;
    const grown = await runs();
    expect(grown).toMatchObject({ exitCode: 2, exceptions: [{ kind: 'wrong_account', metadata: { stake: '500' } }] });
    expect(await whyEnded(sql)).toEqual(['what is at stake changed']);
    expect(seenAs(grown.exceptions[0]!)).not.toBe(seenAs(exceptions[0]!));
  });

  test('where one side is unknown, is accepted for no other amount of the other side', async () => {
    const { sql, ledger, ada, runs, types } = await desk('ledger_consistency');
    const { id } = ledger.account(ada, 'usdc_balance');
    await withoutConstraints(sql);
    const balance = (amount: string | null) => sql`update ledger_accounts set balance = ${amount} where id = ${id}`;
    await balance(null);
    const { exceptions } = await runs();
    expect(exceptions).toMatchObject([{ kind: 'balance_drift', difference: null, actual_value: null }]);
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    expect((await runs()).exitCode).toBe(0);
    ledger.deposit(ada, '5');
    await ledger.save(sql);
    await balance(null);
    expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ kind: 'balance_drift' }] });

    // nobody knows what should be there, before as after
    const unopened = (original: string) => original.replace('0::', `case when account.id <> '${id}' then 0 end::`);
    const env = { RECONCILIATION_SOURCE: await sourceFolder({ ledger_accounts: unopened }) };
    await balance('100');
    const { exceptions: known } = await runs([], { env });
    expect(known).toMatchObject([{ severity: 'critical', expected_value: null, actual_value: '100' }]);
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    expect((await runs([], { env })).exitCode).toBe(0);
    await balance('1000000');
    expect(await runs([], { env })).toMatchObject({ exitCode: 2, exceptions: [{ actual_value: '1000000' }] });
  });

  test('is accepted for nothing else that its subject shows later, nor for more of that', async () => {
    const { sql, ledger, ada, runs, types } = await desk('ledger_consistency');
    const account = ledger.account(ada, 'usdc_balance');
    await sql`update ledger_accounts set balance = balance + 0.01 where id = ${account.id}`;
    const { exceptions } = await runs();
    expect(exceptions).toMatchObject([{ kind: 'balance_drift', severity: 'low', difference: '0.01' }]);
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    expect((await runs()).exitCode).toBe(0);
    for (const [amount, severity] of [
      ['61', 'high'], // she had 60
      ['5000', 'critical'],
    ] as const) {
      ledger.withdrawal(ada, amount);
      await ledger.save(sql);
      expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ kind: 'balance_drift', severity }] });
      expect(await types(accept)).toMatchObject({ exitCode: 0 });
      expect((await runs()).exitCode).toBe(0);
    }

    // behind a larger first amount nothing of that shows in what is at stake
    await sql`update ledger_accounts set balance = -1 where id = ${account.id}`;
    const large = (await runs()).exceptions;
    const told = { kind: 'balance_drift', severity: 'critical', difference: '5000' };
    expect(large).toMatchObject([{ ...told, metadata: { also_amounts: { negative_balance: '-1' } } }]);
    expect(large[0]).not.toHaveProperty('metadata.stake');
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    ledger.withdrawal(ada, '40');
    await ledger.save(sql);
    const grown = await runs();
    expect(grown).toMatchObject({ exitCode: 2, exceptions: [told] });
    expect(seenAs(grown.exceptions[0]!)).not.toBe(seenAs(large[0]!));
    expect(await whyEnded(sql)).toEqual([
      'its severity rose',
      'its severity rose',
      'its amount changed',
      'what is at stake changed',
    ]);
  });

  test('is accepted as severe as it was, whichever recon stored it', async () => {
    const { sql, ledger, ada, runs, types } = await desk('ledger_consistency');
    await sql`update ledger_accounts set balance = -1 where id = ${ledger.account(ada, 'usdc_balance').id}`;
    const { exceptions } = await runs();
    expect(exceptions).toMatchObject([{ severity: 'high', metadata: { also: ['negative_balance'] } }]);
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'agreed', '--by', 'Ada'];
    expect(await types(accept)).toMatchObject({ exitCode: 0 });
    await sql`update reconciliation_exceptions set severity = 'critical', metadata = metadata - 'also_amounts'`;
    expect(await runs(), 'less severe, and stored with the names alone').toMatchObject({ exitCode: 0 });
    await sql`update reconciliation_exceptions set severity = 'medium'`;
    expect(await runs(['--dry-run'])).toMatchObject({ exitCode: 2 });
    expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ severity: 'high', accepted_until: null }] });
    await sql`update reconciliation_exceptions set difference = null, accepted_until = 'infinity'`;
    expect(await runs(), 'stored without an amount').toMatchObject({ exitCode: 2 });
    expect(await whyEnded(sql)).toEqual(['its severity rose', 'its amount changed']);
  });

  test('that was reopened while a run was under way is not cleared by it', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    const found = (await runs()).exceptions[0]!.id;
    const at = (minute: number) => ({ now: new Date(cutAt.getTime() + minute * 60_000) });
    const act = (action: string) => types(['exceptions', action, found, '--note', 'x', '--by', 'Ada'], at(10));
    const open = () => sql`select from reconciliation_exceptions where id = ${found} and resolved_at is null`;
    await act('resolve');
    ledger.postDeposit(ada, id, '100');
    await ledger.save(sql);
    await act('reopen');
    await runs([], at(10)); // by the clock of the test it began at that very moment
    expect(await open()).toHaveLength(1);
    await runs([], at(11));
    expect(await open()).toHaveLength(0);
  });

  test('is cleared by a complete run that looked again, as system, with an event', async () => {
    const { sql, ledger, ada, runs } = await desk();
    const { id, subject } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    await runs();
    ledger.postDeposit(ada, id, '100');
    await ledger.save(sql);

    const { report, exitCode, exceptions } = await runs();
    expect([exitCode, exceptions]).toEqual([0, []]);
    const [cleared] = await exceptionsOf(sql, subject);
    const note = `cleared in report ${report.id}`;
    expect(cleared).toMatchObject({ resolved_by: 'system', resolution_notes: note, occurrences: 1 });
    expect(cleared!.resolved_at!.toISOString()).toBe(report['completed_at']);
    expect(await eventsOf(sql, cleared!.id)).toEqual(['created by system', `cleared by system: ${note}`]);
  });

  test('is not cleared by a run that did not look, or could not tell', async () => {
    const { sql, ledger, ada, runs } = await desk('deposits,withdrawals');
    const { id, subject } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    await runs();
    ledger.postDeposit(ada, id, '100');
    await ledger.save(sql);

    const narrow = [
      ['--since', '365d'],
      ['--until', '2026-03-01'],
      ['--user', ada.id],
      ['--check', 'withdrawals'],
    ];
    for (const flags of narrow) {
      expect(await runs(flags), flags.join(' ')).toMatchObject({ exitCode: 0, exceptions: [] });
      expect(await exceptionsOf(sql, subject), flags.join(' ')).toMatchObject([{ resolved_at: null }]);
    }
    await runs([], { env: { RECONCILIATION_CHECKS: 'withdrawals' } });
    expect(await exceptionsOf(sql, subject), 'switched off').toMatchObject([{ resolved_at: null }]);

    await sql`alter table deposits rename column amount to value`;
    expect(await runs()).toMatchObject({ exitCode: 78 });
    expect(await exceptionsOf(sql, subject), 'incomplete').toMatchObject([{ resolved_at: null }]);

    await sql`alter table deposits rename column value to amount`;
    expect(await runs(['--check', 'deposits'])).toMatchObject({ exitCode: 0 });
    expect(await exceptionsOf(sql, subject), 'its own check').toMatchObject([{ resolved_by: 'system' }]);
  });

  test('only its kind changed: the old row closes as "became …", a new one takes its place', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id, subject } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    await runs();
    ledger.postDeposit(ada, id, '90');
    await ledger.save(sql);

    const { report, exceptions } = await runs();
    expect(exceptions.map(({ kind }) => kind)).toEqual(['amount_mismatch']);
    const [old, successor] = await exceptionsOf(sql, subject);
    const note = `became amount_mismatch in report ${report.id}`;
    expect(old).toMatchObject({ kind: 'missing_in_ledger', resolved_by: 'system', resolution_notes: note });
    expect(successor).toMatchObject({ kind: 'amount_mismatch', resolved_at: null, occurrences: 1 });
    expect(await eventsOf(sql, old!.id)).toEqual(['created by system', `became by system: ${note}`]);
    const { stdout } = await types(['exceptions', 'show', old!.id]);
    expect(stdout).toMatch(new RegExp(`^became +${successor!.id}, amount_mismatch$`, 'm'));
  });

  test('what takes its place keeps whom it has already', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    await runs();
    ledger.postDeposit(ada, id, '90');
    await ledger.save(sql);
    await runs(['--user', ada.id]);
    const holders = () => sql<{ id: string; assignee: string | null; acknowledged_by: string | null }[]>`
      select id, assignee, acknowledged_by, acknowledged_at from reconciliation_exceptions order by kind desc`;
    for (const [index, { id: exception }] of (await holders()).entries()) {
      const name = ['Ada', 'Grace'][index]!;
      const now = new Date(cutAt.getTime() + index * 60_000);
      await types(['exceptions', 'acknowledge', exception, '--by', name], { now });
      await types(['exceptions', 'assign', exception, '--to', name, '--by', name], { now });
    }
    const before = await holders();
    expect(before).toMatchObject(['Ada', 'Grace'].map((name) => ({ assignee: name, acknowledged_by: name })));
    await runs();
    expect(await holders()).toEqual(before);
  });

  test('what takes its place is taken up since the same time by the same person', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id, subject } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    await types(['exceptions', 'acknowledge', exceptions[0]!.id, '--by', 'Grace']);
    ledger.postDeposit(ada, id, '90');
    await ledger.save(sql);
    await runs();
    const [old, successor] = await sql<{ kind: string; acknowledged_at: Date; acknowledged_by: string }[]>`
      select kind, acknowledged_at, acknowledged_by from reconciliation_exceptions
      where affected_entity = ${subject} order by kind desc`;
    expect(successor).toEqual({ ...old, kind: 'amount_mismatch', acknowledged_by: 'Grace' });
  });

  test('another check still finds something in the same subject: that has not become of it', async () => {
    const { sql, ledger, ada, runs } = await desk();
    const { id, subject } = ledger.postDeposit(ada, ledger.random.uuid(), '100', { minutesAgo: 60 });
    await ledger.save(sql);
    await withoutConstraints(sql);
    const options = { env: { RECONCILIATION_CHECKS: 'ledger_consistency,deposits' } };
    await sql`update ledger_entries set amount = 90 where transaction_id = ${id} and entry_type = 'debit'`;
    await runs([], options);
    await sql`update ledger_entries set amount = 100 where transaction_id = ${id}`;
    await runs([], options);
    const about = (await exceptionsOf(sql, subject)).map(({ kind, resolution_notes: notes }) => [kind, notes]);
    expect(about).toHaveLength(2);
    expect(about).toContainEqual(['missing_in_source', null]);
    expect(about).toContainEqual(['unbalanced_transaction', expect.stringMatching(/^cleared /)]);
  });

  test('comes back after it was resolved, by a person or by system: a new row that points to the old one', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    const { id, subject } = ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    const { exceptions } = await runs();
    await types(['exceptions', 'resolve', exceptions[0]!.id, '--by', 'Grace', '--note', 'known']);

    await runs();
    const [first, second, ...none] = await exceptionsOf(sql, subject);
    expect(none).toEqual([]);
    expect(first).toMatchObject({ resolved_by: 'Grace', occurrences: 1, previous_exception_id: null });
    expect(second).toMatchObject({ resolved_at: null, occurrences: 1, previous_exception_id: first!.id });
    expect(await eventsOf(sql, second!.id)).toEqual(['returned by system']);
    const { stdout } = await types(['exceptions', 'show', first!.id]);
    expect(stdout).toMatch(new RegExp(`^returned as +${second!.id}$`, 'm'));

    const posted = ledger.postDeposit(ada, id, '100');
    await ledger.save(sql);
    await runs();
    expect((await exceptionsOf(sql, subject))[1]).toMatchObject({ resolved_by: 'system' });
    await sql`update ledger_transactions set status = 'failed' where id = ${posted.id}`;
    await runs();
    const returned = (await exceptionsOf(sql, subject)).filter(({ kind }) => kind === 'missing_in_ledger');
    expect(returned).toHaveLength(3);
    expect(returned[2]).toMatchObject({ resolved_at: null, previous_exception_id: second!.id });
  });

  test('is known and agreed: it does not fail the run, until its amount changes', async () => {
    const { sql, ledger, ada, runs, types } = await desk('deposits,withdrawals');
    const { id, subject } = ledger.deposit(ada, '100', { postedAmount: '99.5' });
    await ledger.save(sql);
    const { exceptions } = await runs();
    const accept = ['exceptions', 'accept', exceptions[0]!.id, '--until', '30d', '--note', 'a fee'];
    expect((await types(accept)).exitCode).toBe(0);

    for (const flags of [['--dry-run'], []]) {
      const agreed = await runs(flags);
      expect(agreed).toMatchObject({ exitCode: 0, report: { passed_checks: 2, exceptions_count: 1 } });
      expect(agreed.checks[0]).toMatchObject({
        passed: true,
        metadata: { verdict: 'passed', findings: 1, accepted: 1 },
      });
    }
    const { stderr } = await types(['run']);
    expect(stderr).toMatch(/ passed: 2 of 2 checks passed, 7 records compared, 1 finding \(1 accepted\); exit 0\n$/);

    await sql`update deposits set amount = 101 where id = ${id}`;
    expect(await runs()).toMatchObject({ exitCode: 2, report: { passed_checks: 1 } });
    const [seen] = await exceptionsOf(sql, subject);
    expect(seen).toMatchObject({ difference: '-1.5', accepted_until: null, occurrences: 4 });
    expect((await eventsOf(sql, seen!.id)).slice(-2).sort()).toEqual([
      'acceptance_ended by system',
      'escalated by system',
    ]);
  });

  test('is agreed no longer at the very end of its time, nor when it comes back after it was resolved', async () => {
    const { sql, ledger, ada, runs, types } = await desk();
    for (const postedAmount of ['99', '98']) ledger.deposit(ada, '100', { postedAmount });
    await ledger.save(sql);
    const [short, long] = (await runs()).exceptions;
    const act = (action: string, { id }: { id: string }, ...flags: string[]) =>
      types(['exceptions', action, id, '--note', 'a fee', '--by', 'Ada', ...flags]);
    await act('accept', long!, '--until', '2026-03-09');
    await act('accept', short!, '--until', '2026-03-08');
    const seen = await runs(['--check', 'deposits'], { now: new Date('2026-03-08T00:00:00Z') });
    expect(seen.checks[0]).toMatchObject({ passed: false, metadata: { findings: 2, accepted: 1 } });
    await act('accept', short!, '--until', '2026-03-09');
    await act('resolve', short!);
    const returned = await runs(['--check', 'deposits'], { now: new Date('2026-03-08T01:00:00Z') });
    expect(returned.checks[0]).toMatchObject({ passed: false, metadata: { findings: 2, accepted: 1 } });
  });

  test('one that was adopted from the first version is left to people', async () => {
    const { sql, runs } = await desk();
    const { report } = await runs();
    await sql`
      insert into reconciliation_exceptions (
        report_id, check_type, severity, description, kind, fingerprint, last_report_id
      ) values (
        ${report.id}, 'deposits', 'low', 'of before', 'unclassified', 'deposits/legacy/1', ${report.id}
      )`;
    await runs();
    expect(await sql`select from reconciliation_exceptions where resolved_at is null`).toHaveLength(1);
  });

  test('its log is append-only', async () => {
    const { sql, ledger, ada, runs } = await desk();
    ledger.deposit(ada, '100', { post: false });
    await ledger.save(sql);
    await runs();
    for (const change of [
      'update reconciliation_exception_events set actor = $1',
      'delete from reconciliation_exception_events where actor <> $1',
    ])
      await expect(sql.unsafe(change, ['nobody'])).rejects.toThrow(/append-only/);
    await expect(sql`truncate reconciliation_exception_events`).rejects.toThrow(/append-only/);
  });
});
