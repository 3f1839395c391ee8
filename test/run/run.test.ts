import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import nodeFetch from 'node-fetch';
import type postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inSavepoint, inTransaction, openDatabase } from '../../src/database/database.ts';
import { version } from '../../src/version.ts';
import { startCustodians } from '../support/custodians.ts';
import { testDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { LedgerBuilder, type User } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { answers, slowBody } from '../support/sandbox-server.ts';
import { slowly, sourceFolder } from '../support/source-folder.ts';
import { storedRows } from '../support/stored-rows.ts';
import { operatorOf, reconIn, testWorld, type Operator, type RunDocument } from '../support/world.ts';

interface Desk extends Operator {
  url: string;
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
}

/** Books in order: three deposits, an investment and a withdrawal. */
async function desk(checks = 'deposits,withdrawals'): Promise<Desk> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  const ada = ledger.user();
  for (let count = 0; count < 3; count += 1) ledger.deposit(ada, '2');
  ledger.investment(ada, '3');
  ledger.withdrawal(ada, '1');
  await ledger.save(sql);
  return { ...operatorOf(url, { RECONCILIATION_CHECKS: checks }), url, sql, ledger, ada };
}

function checkOf(document: RunDocument, name: string) {
  return document.checks.find(({ check_type: type }) => type === name)!;
}

/** Polls until it holds; fails the test after 20 seconds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not happen within 20 seconds.');
    await sleep(20);
  }
}

async function isSleeping(sql: postgres.Sql): Promise<boolean> {
  const rows = await sql`
    select from pg_stat_activity
    where datname = current_database() and state = 'active' and wait_event = 'PgSleep'`;
  return rows.length > 0;
}

describe('a run over everything', { timeout: 120_000 }, () => {
  test('is stored whole: report, checks, exceptions, findings', async () => {
    const { url, sql, ledger, ada } = await desk();
    const { env, circle } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
    const { runs } = operatorOf(url, env);
    const clean = await runs(['--type', 'daily']);
    expect(clean).toMatchObject({ version: 1, exitCode: 0, exceptions: [] });
    expect(clean.report).toMatchObject({
      run_type: 'daily',
      status: 'completed',
      total_checks: 6,
      passed_checks: 6,
      failed_checks: 0,
      exceptions_count: 0,
      error_message: null,
      metadata: {
        verdict: 'passed',
        incomplete_checks: 0,
        environment: 'production',
        source: 'stack_service',
        recon_version: version,
      },
    });

    const { id, subject } = ledger.deposit(ada, '50', { post: false });
    await ledger.save(sql);
    circle.move(ada.walletId, '5000').updateDate = new Date(cutAt.getTime() - 3_600_000).toISOString();
    const { report, checks, exceptions, exitCode } = await runs();
    expect(exitCode).toBe(2);

    const [stored] = await sql`select * from reconciliation_reports where id = ${report.id}`;
    expect(stored).toMatchObject({
      run_type: 'manual',
      status: 'completed',
      total_checks: 6,
      passed_checks: 4,
      failed_checks: 2,
      exceptions_count: 2,
      error_message: null,
      metadata: { verdict: 'failed', incomplete_checks: 0 },
    });
    expect([stored!['started_at'], stored!['completed_at']]).toEqual(
      [report['started_at'], report['completed_at']].map((time) => new Date(String(time))),
    );

    const storedChecks = await sql`
      select * from reconciliation_checks where report_id = ${report.id} order by check_type collate "C"`;
    expect(
      storedChecks.map((row) => `${row['check_type'] as string} ${row['status'] as string} ${row['passed']}`),
    ).toEqual([
      'alpaca_balance completed true',
      'circle_balance completed false',
      'conversion_jobs completed true',
      'deposits completed false',
      'ledger_consistency completed true',
      'withdrawals completed true',
    ]);
    expect(storedChecks[3]).toMatchObject({
      expected_value: '56',
      actual_value: '6',
      difference: '-50',
      error_message: null,
      metadata: { verdict: 'failed', compared: 4, findings: 1 },
    });
    expect(storedChecks.map((row) => row['id'] as string).toSorted()).toEqual(
      checks.map((row) => row['id']).toSorted(),
    );

    const [missing] = await sql`select * from reconciliation_exceptions where affected_entity = ${subject}`;
    expect(missing).toMatchObject({
      report_id: report.id,
      check_id: storedChecks[3]!['id'] as string,
      check_type: 'deposits',
      kind: 'missing_in_ledger',
      fingerprint: `deposits/missing_in_ledger/deposit:${id}`,
      severity: 'medium',
      expected_value: '50',
      actual_value: '0',
      difference: '-50',
      currency: 'USDC',
      affected_user_id: ada.id,
      auto_corrected: false,
      correction_action: null,
      resolved_at: null,
    });
    expect(missing!['description']).toBe(
      `deposit ${id} is settled, but was never posted: amount of the record 50 USDC`,
    );
    expect(exceptions.map(({ kind, affected_entity: entity }) => `${kind} ${entity}`)).toEqual([
      'balance_mismatch custodian:circle',
      `missing_in_ledger ${subject}`,
    ]);
    expect(await storedRows(sql)).toEqual({ reports: 2, checks: 12, exceptions: 2, findings: 2, events: 2, alerts: 0 });

    // the operators' own queries, word for word
    const serious = await sql.unsafe(
      `SELECT * FROM reconciliation_exceptions WHERE severity IN ('high','critical') AND resolved_at IS NULL ORDER BY created_at DESC;`,
    );
    expect(serious.map((row) => row['affected_entity'] as string)).toEqual(['custodian:circle']);
    const failures = await sql.unsafe(
      `SELECT * FROM reconciliation_checks WHERE check_type = 'circle_balance' AND passed = false ORDER BY created_at DESC LIMIT 10;`,
    );
    expect(failures.map((row) => row['report_id'] as string)).toEqual([report.id]);
  });

  test('on empty books passes, and says that it compared nothing', async () => {
    const { url } = await testDatabase();
    const { runs, types } = operatorOf(url);
    const document = await runs();
    expect(document.exitCode).toBe(0);
    expect(document.checks.map(({ metadata }) => metadata['compared'])).toEqual([0, 0, 0, 0]);
    const { stderr } = await types(['run', '--check', 'deposits'], { env: { LOG_LEVEL: 'info' } });
    expect(stderr).toContain('deposits: 0 compared, 0 found');
  });

  test('amounts stay exact from the books into the JSON', async () => {
    const { sql, ledger, ada, runs } = await desk('deposits');
    ledger.deposit(ada, '100000000000000000.000000000000000001');
    ledger.deposit(ada, '9007199254740993', { postedAmount: '9007199254740992.999999999999999999' });
    await ledger.save(sql);
    const document = await runs();
    expect(checkOf(document, 'deposits')).toMatchObject({
      expected_value: '109007199254740999.000000000000000001',
      actual_value: '109007199254740999',
      difference: '-0.000000000000000001',
    });
    expect(document.exceptions).toMatchObject([
      {
        expected_value: '9007199254740993',
        actual_value: '9007199254740992.999999999999999999',
        difference: '-0.000000000000000001',
      },
    ]);
  });

  test('a hundred thousand amounts of 18 decimals add up, to the last digit of the JSON', async () => {
    const { runs } = await desk();
    const id = (relation: string) => `md5('${relation}')::uuid`;
    const amount = '9007199254740993.000000000000000001';
    const total = (BigInt(amount.replace('.', '')) * 50_000n).toString().replace(/(\d{18})$/, '.$1');
    const folder = await sourceFolder({
      ledger_transactions: () =>
        `select ${id('t')} as id, null::uuid as user_id, 'internal_transfer' as transaction_type,
           null::uuid as reference_id, null::text as reference_type, 'completed' as status, 'one' as idempotency_key,
           null::text as record_kind, false as expects_record, timestamptz '2026-01-01' as created_at, null::timestamptz as updated_at,
           timestamptz '2026-01-01' as completed_at`,
      ledger_accounts: () =>
        `select ${id('a')} as id, null::uuid as user_id, 'broker_operational' as account_type, 'USD' as currency,
           0::numeric as balance, 'debit' as normal_side, 0::numeric as opening_balance`,
      ledger_entries: () =>
        `select md5(n::text)::uuid as id, ${id('t')} as transaction_id, ${id('a')} as account_id,
           case n % 2 when 0 then 'debit' else 'credit' end as entry_type, ${amount}::numeric as amount,
           'USD' as currency, timestamptz '2026-01-01' as created_at
         from generate_series(1, 100000) as n`,
    });
    const document = await runs(['--check', 'ledger_consistency'], {
      env: { RECONCILIATION_SOURCE: folder, RECONCILIATION_CHECKS: 'ledger_consistency' },
    });
    expect(document.exceptions).toEqual([]);
    const trimmed = total.replace(/\.?0+$/, '');
    expect(checkOf(document, 'ledger_consistency')).toMatchObject({
      expected_value: trimmed,
      actual_value: trimmed,
      difference: '0',
      passed: true,
      metadata: { details: { USD: { entries: 100_000 } } },
    });
  });
});

test('what a check took counts the reading of its custodian', async () => {
  const { url, ada } = await desk();
  const { env, circle } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
  const world = testWorld({ env: { DATABASE_URL: url, ...env, RECONCILIATION_CHECKS: 'circle_balance,deposits' } });
  let elapsedMs = 0;
  world.now = () => new Date(cutAt.getTime() + elapsedMs);
  circle.faults.push({
    path: /./,
    times: 1,
    respond: (real) => {
      elapsedMs += 9_000;
      return real();
    },
  });
  const { stdout } = await reconIn(world, ['run', '-o', 'json']);
  const document = JSON.parse(stdout) as RunDocument;
  expect(checkOf(document, 'circle_balance')['execution_time_ms']).toBe(9_000);
  expect(checkOf(document, 'deposits')['execution_time_ms']).toBe(0);
});

describe('exit codes', { timeout: 120_000 }, () => {
  test('2 from --fail-on up, else 0', async () => {
    const { sql, ledger, ada, types } = await desk('deposits');
    ledger.deposit(ada, '100', { postedAmount: '50' }); // medium
    await ledger.save(sql);
    const codes: Record<string, number> = {};
    for (const severity of ['low', 'medium', 'high', 'critical', 'never'])
      codes[severity] = (await types(['run', '--fail-on', severity])).exitCode;
    expect(codes).toEqual({ low: 2, medium: 2, high: 0, critical: 0, never: 0 });
    const { exitCode, stderr } = await types(['run']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /recon: manual run [0-9a-f]{8} failed: 0 of 1 check passed, 4 records compared, 1 finding \(1 medium\); exit 2\n$/,
    );
  });

  test('of custodians: 78 before 77 before 3 before 2, and what could be told is stored', async () => {
    const { url, sql, ledger, ada } = await desk();
    ledger.deposit(ada, '50', { post: false });
    await ledger.save(sql);
    const { env, circle, alpaca } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
    const { runs } = operatorOf(url, { ...env, RECONCILIATION_CHECKS: 'circle_balance,alpaca_balance,deposits' });
    const down = answers({ path: /./ }, { status: 503 });

    circle.faults.push(down);
    const unreachable = await runs();
    expect(unreachable).toMatchObject({
      exitCode: 3,
      report: {
        status: 'failed',
        total_checks: 3,
        passed_checks: 1,
        failed_checks: 2,
        exceptions_count: 1,
        error_message: '1 of 3 checks incomplete',
        metadata: { verdict: 'incomplete', incomplete_checks: 1 },
      },
    });
    expect(checkOf(unreachable, 'circle_balance')).toMatchObject({
      status: 'failed',
      passed: false,
      expected_value: null,
      actual_value: null,
      difference: null,
      error_message: expect.stringMatching(/^Circle could not be read: .* 503/) as string,
      metadata: { verdict: 'incomplete', exit_code: 3 },
    });

    const refused = await runs([], { env: { ALPACA_API_SECRET: 'canary-of-yesterday' } });
    expect(refused).toMatchObject({ exitCode: 77, report: { exceptions_count: 1 } });
    expect(checkOf(refused, 'alpaca_balance')['error_message']).toMatch(/refused the credentials/);

    const withoutKey = await runs([], { env: { ALPACA_API_SECRET: 'canary-of-yesterday', CIRCLE_API_KEY: '' } });
    expect(withoutKey).toMatchObject({ exitCode: 78, report: { exceptions_count: 1 } });
    expect(checkOf(withoutKey, 'circle_balance')['error_message']).toBe(
      'CIRCLE_API_KEY is not set: set it, or leave circle_balance out of RECONCILIATION_CHECKS.',
    );

    circle.faults.length = 0;
    expect(await runs()).toMatchObject({ exitCode: 2 });
    expect(alpaca.log.length).toBeGreaterThan(0);
  });

  test.each([
    [
      'a table',
      'alter table deposits rename to deposits_of_old',
      /table that this check reads does not exist: .*deposits/,
    ],
    [
      'a column',
      'alter table deposits rename column amount to value',
      /column that this check reads does not exist: .*amount/,
    ],
  ])('78 without %s: that check proves nothing, the others are stored', async (_, change, reason) => {
    const { sql, runs } = await desk();
    await sql.unsafe(change);
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 78, report: { status: 'failed', passed_checks: 1, failed_checks: 1 } });
    expect(checkOf(document, 'deposits')).toMatchObject({ status: 'failed', expected_value: null });
    expect(checkOf(document, 'deposits')['error_message']).toMatch(reason);
    expect(checkOf(document, 'withdrawals')).toMatchObject({ status: 'completed', passed: true });
    expect(await storedRows(sql)).toMatchObject({ reports: 1, checks: 2 });
  });

  test('78 for a mapping that PostgreSQL cannot read', async () => {
    const { runs } = await desk();
    const folder = await sourceFolder({ deposits: (original) => `${original} oops oops` });
    const document = await runs([], { env: { RECONCILIATION_SOURCE: folder } });
    expect(document.exitCode).toBe(78);
    expect(checkOf(document, 'deposits')['error_message']).toMatch(/syntax error/);
  });

  test('3 when the deadline passes: what was not compared by then is incomplete', async () => {
    const { runs } = await desk();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const collecting = setInterval(collectGarbage, 200); // a deadline that nobody holds on to would never pass
    onTestFinished(() => {
      clearInterval(collecting);
    });
    const env = { RECONCILIATION_SOURCE: await sourceFolder({ deposits: slowly }), RECONCILIATION_RUN_TIMEOUT: '1s' };
    const document = await runs([], { env });
    expect(document).toMatchObject({ exitCode: 3, report: { status: 'failed', passed_checks: 0, failed_checks: 2 } });
    for (const { error_message: message } of document.checks) expect(message).toMatch(/deadline of the run passed/);
  });
});

describe('a database that goes away', { timeout: 120_000 }, () => {
  test('while a check reads: exit 3, what was compared before stands, nothing else is believed', async () => {
    const { sql, runs } = await desk('ledger_consistency,deposits,conversion_jobs,withdrawals');
    const env = { RECONCILIATION_SOURCE: await sourceFolder({ deposits: slowly }) };
    const running = runs([], { env });
    await until(() => isSleeping(sql));
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`;
    const document = await running;
    expect(document).toMatchObject({ exitCode: 3, report: { status: 'failed', passed_checks: 1, failed_checks: 3 } });
    expect(checkOf(document, 'ledger_consistency')).toMatchObject({ status: 'completed', passed: true });
    for (const name of ['deposits', 'conversion_jobs', 'withdrawals'])
      expect(checkOf(document, name)['error_message'], name).toMatch(/^The database could not answer: /);
    expect(await storedRows(sql)).toMatchObject({ reports: 1, checks: 4 });
    expect((await runs()).exitCode, 'the next run').toBe(0);
  });

  test('between two statements: nothing is sent into the void', async () => {
    const { url, sql } = await testDatabase();
    const database = openDatabase(url, { connections: 1 });
    onTestFinished(() => database.end({ timeout: 1 }));
    const working = inTransaction(database, 'read only', async (transaction) => {
      const [row] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await sql`select pg_terminate_backend(${row!.pid})`;
      await until(async () => (await sql`select from pg_stat_activity where pid = ${row!.pid}`).length === 0);
      await inSavepoint(transaction, async (savepoint) => savepoint`select 1`);
    });
    await expect(working).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });
});

describe('a slow custodian', { timeout: 120_000 }, () => {
  test('has half of the time: the books are looked at all the same', async () => {
    const { url, ada } = await desk();
    const { env, circle } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
    circle.faults.push(slowBody({ path: /./ }));
    const { runs } = operatorOf(url, {
      ...env,
      RECONCILIATION_CHECKS: 'circle_balance,deposits',
      RECONCILIATION_RUN_TIMEOUT: '6s',
    });
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 3, report: { passed_checks: 1, failed_checks: 1 } });
    expect(checkOf(document, 'circle_balance')['error_message']).toMatch(/not read within half of the run/);
  });
});

describe('what a role may not see', { timeout: 120_000 }, () => {
  /** A role of this test that may read the host's tables and write ours. */
  async function asRole({ url, sql }: Desk): Promise<{ role: string; roleUrl: string }> {
    const { name: role, url: roleUrl } = await login(sql, url);
    await sql.unsafe(`grant select on all tables in schema public to ${role}`);
    await sql.unsafe(
      `grant insert, update on reconciliation_reports, reconciliation_checks, reconciliation_exceptions,
         reconciliation_findings, reconciliation_exception_events, reconciliation_watermarks,
         reconciliation_waiting, reconciliation_checkpoints, reconciliation_totals, reconciliation_alerts,
         reconciliation_incidents, reconciliation_switched_off, reconciliation_told to ${role};
       grant delete on reconciliation_waiting, reconciliation_checkpoints, reconciliation_incidents to ${role}`,
    );
    return { role, roleUrl };
  }

  test('is never a smaller sum: rows hidden by row-level security, tables without select', async () => {
    const own = await desk();
    const { role, roleUrl } = await asRole(own);
    const env = { DATABASE_URL: roleUrl };
    expect(await own.runs([], { env })).toMatchObject({ exitCode: 0, report: { passed_checks: 2 } });

    await own.sql`alter table deposits enable row level security`;
    await own.sql.unsafe(`revoke select on withdrawals from ${role}`);
    const document = await own.runs([], { env });
    expect(document).toMatchObject({ exitCode: 78, report: { status: 'failed', failed_checks: 2 } });
    expect(checkOf(document, 'deposits')['error_message']).toMatch(
      /^Row-level security hides rows from this role: .*deposits.*bypassrls/,
    );
    expect(checkOf(document, 'withdrawals')['error_message']).toMatch(
      /^This role may not read what the check needs: .*withdrawals.* Grant it select\.$/,
    );
  });
});

describe('what a role may not do', { timeout: 120_000 }, () => {
  test('is said in a sentence, and a dry run does without our tables', async () => {
    const { url, sql, types } = await desk();
    const guest = await login(sql, url);
    await sql.unsafe(
      `grant select on deposits, withdrawals, ledger_accounts, ledger_entries, ledger_transactions to ${guest.name}`,
    );
    const env = { DATABASE_URL: guest.url };
    const list = ['exceptions', 'list'];
    for (const line of [list, ['migrate', 'status'], ['migrate', 'up'], ['migrate', 'down', '--yes']])
      expect(await types(line, { env }), line.join(' ')).toMatchObject({
        exitCode: 78,
        stderr: expect.stringMatching(
          /^recon: The role may not read the tables of recon .*\n.*grant recon_reader.*\n/,
        ) as string,
      });
    await sql.unsafe(`grant select on reconciliation_migrations to ${guest.name}`);
    expect(await types(list, { env })).toMatchObject({
      exitCode: 78,
      stderr: expect.stringMatching(
        /^recon: The role of DATABASE_URL may not do this at .*denied.*\n.*roles\.sql/,
      ) as string,
    });
    expect((await types(['run', '--dry-run'], { env })).exitCode).toBe(0);
    const elsewhere = { ...env, RECONCILIATION_SCHEMA: 'not_there_yet' };
    expect((await types(['run', '--dry-run'], { env: elsewhere })).exitCode).toBe(0);
  });
});

describe('a source that lost more than half of its records', { timeout: 120_000 }, () => {
  test('is not believed, unless it is told to', async () => {
    const { sql, ledger, ada, runs, types } = await desk('withdrawals');
    for (let count = 0; count < 3; count += 1) ledger.withdrawal(ada, '0.1');
    await ledger.save(sql);
    expect(checkOf(await runs(), 'withdrawals').metadata['compared']).toBe(4);

    await sql`delete from withdrawals where amount = 0.1`;
    const posted = await sql`
      update ledger_transactions set status = 'failed'
      where transaction_type = 'withdrawal' and reference_id not in (select id from withdrawals) returning id`;
    expect(posted).toHaveLength(3);
    expect((await runs(['--user', ada.id])).exitCode, 'a narrowed run does not judge').toBe(0);
    const env = { RECONCILIATION_CHECKS: 'withdrawals' };
    const shrunken = await runs([], { env });
    expect(shrunken.exitCode).toBe(3);
    expect(checkOf(shrunken, 'withdrawals')).toMatchObject({ status: 'failed', expected_value: null });
    expect(checkOf(shrunken, 'withdrawals')['error_message']).toBe(
      'Only 1 record where the last complete run compared 4; trying again changes nothing, a person has to look: if they were really removed, run once with --type daily --accept-fewer, which settles it for every type of run.',
    );
    const dry = await types(['run', '--dry-run'], { env });
    expect(dry.exitCode, 'a dry run says the same').toBe(3);
    const next = (run: string) =>
      `\n  recon run${run} --type daily --accept-fewer\n      Once, and only if somebody knows that the records were really removed: withdrawals.\n`;
    expect(dry.stdout).toContain(next(' --dry-run'));
    const { stdout } = await types(['status'], { env });
    expect(stdout).toContain(next(''));
    expect(stdout, 'trying again changes nothing').not.toContain('recon run --check withdrawals\n');

    expect(await runs(['--accept-fewer'])).toMatchObject({ exitCode: 0, report: { passed_checks: 1 } });
    expect((await runs()).exitCode, 'from now on this is the measure').toBe(0);
  });

  test('an hourly run says of a table that was cut what a daily run says, and both go on by the same flag', async () => {
    const { sql, ledger, ada, runs } = await desk('deposits');
    for (let count = 0; count < 11; count += 1) ledger.deposit(ada, '3', { status: 'pending', post: false });
    for (let count = 0; count < 5; count += 1) ledger.deposit(ada, '2', { status: 'pending', post: false });
    await ledger.save(sql);
    await runs(['--type', 'daily']);
    await sql`delete from deposits where status = 'pending' and amount = 3`;
    expect((await runs(['--type', 'hourly'])).exitCode).toBe(3);
    expect((await runs(['--type', 'daily', '--accept-fewer'])).exitCode).toBe(0);
    expect((await runs(['--type', 'hourly'])).exitCode, 'a daily run settles it for both').toBe(0);
    await sql`delete from deposits where status = 'pending'`;
    const reason =
      'Only 3 records where the last complete run compared 8; trying again changes nothing, a person has to look: if they were really removed, run once with --type daily --accept-fewer, which settles it for every type of run.';
    for (const type of ['hourly', 'daily'])
      expect(checkOf(await runs(['--type', type]), 'deposits')['error_message'], type).toBe(reason);
    expect((await runs(['--type', 'hourly', '--accept-fewer'])).exitCode).toBe(0);
    expect((await runs(['--type', 'hourly'])).exitCode, 'what is gone is remembered no longer').toBe(0);
    expect(checkOf(await runs(['--type', 'daily']), 'deposits')['error_message'], 'which did not look').toBe(reason);
    expect((await runs(['--type', 'daily', '--accept-fewer'])).exitCode).toBe(0);
  });

  test('the one open record that the host removed is no table that was cut, and what was posted for it is found', async () => {
    const { sql, ledger, ada, runs } = await desk('deposits');
    const open = ledger.deposit(ada, '2', { status: 'confirmed' });
    await ledger.save(sql);
    await runs(['--type', 'daily']);
    await sql`delete from deposits where id = ${open.id}`;
    const subjects = async (type: string) => {
      const { exitCode, exceptions } = await runs(['--type', type]);
      return [exitCode, ...exceptions.map(({ kind, affected_entity: entity }) => `${kind} ${entity}`)];
    };
    const found = [2, `missing_in_source transaction:${open.transaction!.id}`];
    expect(await subjects('hourly')).toEqual(found);
    expect(await subjects('daily')).toEqual(found);
  });

  test('half is believed, and a narrowed run does not set the measure', async () => {
    const { sql, ledger, ada, runs } = await desk('deposits');
    const bob = ledger.user();
    ledger.deposit(bob, '2');
    await ledger.save(sql);
    await runs();
    await runs(['--user', bob.id]);
    await sql`delete from deposits where id in (select id from deposits where user_id = ${ada.id} limit 2)`;
    expect(checkOf(await runs(), 'deposits')).toMatchObject({ status: 'completed', metadata: { compared: 2 } });
    await sql`delete from deposits where user_id = ${ada.id}`;
    expect((await runs(['--fail-on', 'never'])).exitCode).toBe(0);
  });
});

describe('all of a run is stored, or none of it', { timeout: 120_000 }, () => {
  test('storing that fails half-way leaves the report, marked failed, and nothing else', async () => {
    const { sql, ledger, ada, types } = await desk('deposits');
    ledger.deposit(ada, '50', { post: false });
    await ledger.save(sql);
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$;
      create trigger refuse before insert on reconciliation_findings for each row execute function refuse()`);
    const { exitCode, stdout } = await types(['run', '-o', 'json']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(await storedRows(sql)).toEqual({ reports: 1, checks: 0, exceptions: 0, findings: 0, events: 0, alerts: 0 });
    const [report] = await sql`select status, completed_at, error_message from reconciliation_reports`;
    expect(report).toMatchObject({ status: 'failed', error_message: 'the disk is full' });
    expect(report!['completed_at']).not.toBeNull();
  });

  test('a run that was declared dead meanwhile stores nothing', async () => {
    const { url, sql, ada } = await desk();
    const { env } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
    const world = testWorld({ env: { ...env, DATABASE_URL: url, RECONCILIATION_CHECKS: 'circle_balance,deposits' } });
    world.fetch = async (...request) => {
      await sql`update reconciliation_reports set status = 'failed', error_message = 'interrupted'`;
      return nodeFetch(...request);
    };
    const { exitCode, stderr } = await reconIn(world, ['run']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(
      /recon: A later run declared this one dead \(report [0-9a-f-]{36}\); nothing of it was stored\./,
    );
    expect(await storedRows(sql)).toMatchObject({ reports: 1, checks: 0 });
    expect(await sql`select error_message from reconciliation_reports`).toMatchObject([
      { error_message: 'interrupted' },
    ]);
  });

  test('a report that a dead process left behind is closed by the next run', async () => {
    const { sql, runs } = await desk('deposits');
    await sql`insert into reconciliation_reports (run_type, status) values ('hourly', 'in_progress')`;
    const { report } = await runs();
    const [dead] = await sql`select * from reconciliation_reports where id <> ${report.id}`;
    expect(dead).toMatchObject({ status: 'failed', error_message: 'interrupted' });
    expect(dead!['completed_at']).not.toBeNull();
  });
});

describe('a signal', { timeout: 120_000 }, () => {
  test('while a statement runs: it is cancelled, the report says what happened', async () => {
    const { url, sql } = await desk();
    const env = {
      DATABASE_URL: url,
      RECONCILIATION_CHECKS: 'deposits',
      RECONCILIATION_SOURCE: await sourceFolder({ deposits: slowly }),
      LOG_LEVEL: 'silent',
    };
    const world = testWorld({ env });
    const running = reconIn(world, ['run', '-o', 'json']);
    await until(() => isSleeping(sql));
    world.interrupt('SIGTERM');
    expect(await running).toEqual({
      exitCode: 143,
      stdout: '',
      stderr: 'recon: interrupted by SIGTERM\nrecon: exit 143\n',
    });
    expect(await isSleeping(sql)).toBe(false);
    expect(await sql`select status, error_message from reconciliation_reports`).toMatchObject([
      { status: 'failed', error_message: 'interrupted by SIGTERM' },
    ]);
    expect(await storedRows(sql)).toMatchObject({ checks: 0 });
  });

  test('while a custodian is read', async () => {
    const { url, sql, ada } = await desk();
    const { env } = await startCustodians(ada, { usdc: '0.5', cash: '3' });
    const world = testWorld({ env: { ...env, DATABASE_URL: url } });
    world.fetch = async (...request) => {
      world.interrupt('SIGINT');
      return nodeFetch(...request);
    };
    const { exitCode, stderr } = await reconIn(world, ['run']);
    expect([exitCode, stderr.split('\n').slice(-3)]).toEqual([
      130,
      ['recon: interrupted by SIGINT', 'recon: exit 130', ''],
    ]);
    expect(stderr).toMatch(
      /^\{"level":"warn",.*"event":"run.finished",.* without a result: interrupted by SIGINT"\}$/m,
    );
    expect(stderr, 'an interruption is no bug').not.toMatch(/"stack"|"level":"error"/);
    expect(await sql`select status, error_message from reconciliation_reports`).toMatchObject([
      { status: 'failed', error_message: 'interrupted by SIGINT' },
    ]);
  });
});
