import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { alpacaKey, alpacaSecret, circleKey, startCustodians } from '../support/custodians.ts';
import { emptyDatabase, testDatabase } from '../support/database.ts';
import { LedgerBuilder, withoutConstraints } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { answers } from '../support/sandbox-server.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { operatorOf, recon, withoutCustodians } from '../support/world.ts';

const somewhere = { DATABASE_URL: 'postgres://recon:canary-password@127.0.0.1:1/app' };

const someone = '00000000-0000-4000-8000-000000000000';

async function firm() {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt });
  const ada = ledger.user();
  ledger.deposit(ada, '5', { post: false });
  await ledger.save(sql);
  return { url, sql, ledger, ada, ...operatorOf(url, { RECONCILIATION_CHECKS: 'deposits' }) };
}

async function envFile(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-env-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'env'), content);
  return join(folder, 'env');
}

describe('a command line that cannot be meant', () => {
  test.each([
    [
      ['run', '--typ', 'daily'],
      "recon: unknown option '--typ'. Did you mean --type?\n`recon run --help` shows how it is called.\n",
    ],
    [['run', '--type', 'dayly'], 'Did you mean daily?'],
    [['run', '--fail-on', 'severe'], 'There are low, medium, high, critical, never.'],
    [['run', '-o', 'yaml'], 'There are table, json, csv.'],
    [['run', '--check', 'deposit'], 'Did you mean deposits? There are ledger_consistency'],
    [['run', '--wait', 'forever'], 'It must be a duration such as 0s, 90s or 15m.'],
    [['run', '--user', 'grace'], 'It must be an id or its first characters'],
    [['run', '--since', 'yesterday'], '--since "yesterday" is not a time.\nGive 7d, 2026-11-01 (UTC)'],
    [['run', '--since', '2026-02-30'], '--since "2026-02-30" is not a time.'],
    [['run', '--since', '1d', '--until', '2d'], 'is not before --until'],
    [['run', '--since', '2026-01-01T00:00:00.5Z', '--until', '2026-01-01T00:00:00Z'], 'is not before --until'],
    [
      ['run', '--since', '2026-01-01', '--until', '2026-01-01'],
      '--since and --until are the same time, 2026-01-01T00:00:00.000000Z: nothing is between them.\nGive a later --until.',
    ],
    [['run', '--since', '2027-01-01'], '--since 2027-01-01T00:00:00.000000Z is in the future'],
    [['run', '--type', 'hourly', '--since', '1d'], 'A run of --type hourly is not narrowed.'],
    [['run', '--type', 'daily', '--user', someone], 'A run of --type daily is not narrowed.'],
    [['run', '--check', 'circle_balance', '--since', '1d'], 'circle_balance cannot be narrowed by time'],
    [
      ['run', '--check', 'conversion_jobs', '--user', someone],
      'conversion_jobs cannot be narrowed by user: each of its records is for many users at once.\nLeave out',
    ],
    [['run', 'everything'], 'too many arguments'],
    [['run', '--type'], 'recon: --type <type> needs a value.'],
  ])('%s', async (argv, sentence) => {
    const { exitCode, stdout, stderr } = await recon(argv, { env: somewhere });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/recon: exit 64\n$/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('asks for a check that is off', async () => {
    const env = { ...somewhere, RECONCILIATION_CHECKS: 'circle_balance,alpaca_balance' };
    const { exitCode, stderr } = await recon(['run', '--check', 'circle_balance', '--check', 'deposits'], { env });
    expect(exitCode).toBe(64);
    expect(stderr).toContain(
      '--check deposits is off: RECONCILIATION_CHECKS leaves it out.\nOn are circle_balance, alpaca_balance.\n',
    );
  });

  test('leaves no check over', async () => {
    const env = { ...somewhere, RECONCILIATION_CHECKS: 'circle_balance,alpaca_balance' };
    const { exitCode, stderr } = await recon(['run', '--since', '7d'], { env });
    expect(exitCode).toBe(64);
    expect(stderr).toContain(
      'circle_balance cannot be narrowed by time: what a custodian holds is of no one time or user.\nalpaca_balance cannot',
    );
  });

  test('half a second is a window too', async () => {
    const { runs } = await firm();
    const flags = ['--since', '2026-01-01T00:00:00Z', '--until', '2026-01-01T00:00:00.5Z'];
    expect(await runs(flags)).toMatchObject({
      exitCode: 0,
      report: {
        metadata: { narrowed_to: { since: '2026-01-01T00:00:00.000000Z', until: '2026-01-01T00:00:00.500000Z' } },
      },
    });
  });
});

describe('a run that would look at nothing', { timeout: 60_000 }, () => {
  test('of a user whom nobody knows: 64, and no report of it', async () => {
    const { sql, ada, types } = await firm();
    for (const flags of [[], ['--dry-run']]) {
      const { exitCode, stdout, stderr } = await types(['run', '--user', someone, ...flags]);
      expect([exitCode, stdout]).toEqual([64, '']);
      expect(stderr).toContain(`--user ${someone} names no user of the source: no account, record or transaction`);
    }
    expect(await sql`select from reconciliation_reports`).toHaveLength(0);
    const since = await types(['run', '--user', ada.id.toUpperCase(), '--since', '2025-01-01']);
    expect(since.exitCode).toBe(2);
    expect(since.stdout, 'a time as all others').toMatch(/narrowed to since \S+ \S+ [+-]\d\d:\d\d, user_id /);
    const ofAccounts = 'accounts without an entry in that time are not looked at';
    expect(since.stdout, 'no check of accounts').not.toContain(ofAccounts);
    const env = { RECONCILIATION_CHECKS: 'ledger_consistency' };
    expect((await types(['run', '--since', '2025-01-01'], { env })).stdout).toContain(ofAccounts);
    expect((await types(['run', '--user', ada.id.slice(0, 8)])).stdout, 'as a list shows it').toContain(
      `narrowed to user_id ${ada.id}: clears nothing`,
    );
  });

  test('of a user where a table cannot be read: the check says which', async () => {
    const { sql, ada, types } = await firm();
    await sql`alter table deposits rename to old_deposits`;
    const { exitCode, stdout } = await types(['run', '--user', ada.id]);
    expect(exitCode).toBe(78);
    expect(stdout).toContain('relation "deposits" does not exist');
  });

  test('of empty books passes, and the last line says how little that means', async () => {
    const { url } = await testDatabase();
    const { exitCode, stderr } = await operatorOf(url).types(['run']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /passed: 4 of 4 checks passed, 0 records compared \(which proves nothing\), nothing found; exit 0\n$/,
    );
  });
});

describe('a database that does not answer as it should', { timeout: 60_000 }, () => {
  const failed = { stdout: '' };

  test('nobody listens: 3', async () => {
    const outcome = await recon(['run'], { env: somewhere });
    expect(outcome).toMatchObject({ ...failed, exitCode: 3 });
    expect(outcome.stderr).toBe(
      'recon: The database at 127.0.0.1:1/app cannot be reached (ECONNREFUSED).\nCheck the host and port in DATABASE_URL, and that the server is up.\nrecon: exit 3\n',
    );
  });

  test('wrong password: 77; no such database: 78; no tables of recon: 78', async () => {
    const { url } = await emptyDatabase();
    const run = (change: (url: URL) => void) => {
      const changed = new URL(url);
      change(changed);
      return recon(['run'], { env: { DATABASE_URL: changed.href } });
    };
    const refused = await run((changed) => (changed.password = 'canary-wrong-password'));
    expect(refused).toMatchObject({ ...failed, exitCode: 77 });
    expect(refused.stderr).toMatch(/refused the credentials \(28P01\)\.\nCheck user and password in DATABASE_URL\./);
    expect(refused.stderr).not.toContain('canary');
    const empty = await run((changed) => (changed.password = ''));
    expect(empty.stderr).toContain('in DATABASE_URL. It has no password, and PGPASSWORD is not read.\n');

    const missing = await run((changed) => (changed.pathname = '/nowhere'));
    expect(missing).toMatchObject({ ...failed, exitCode: 78 });
    expect(missing.stderr).toMatch(/has no such database: .*\/nowhere\./);

    const bare = await run(() => undefined);
    expect(bare).toMatchObject({ ...failed, exitCode: 78 });
    expect(bare.stderr).toMatch(
      /^recon: The schema public has no tables of recon yet\.\nRun `recon migrate up`, or .+\nrecon: exit 78\n$/,
    );
    const elsewhere = await recon(['run'], { env: { DATABASE_URL: url, RECONCILIATION_SCHEMA: 'nowhere' } });
    expect(elsewhere).toMatchObject({ ...failed, exitCode: 78 });
  });
});

describe('the environment', { timeout: 60_000 }, () => {
  test('all its problems at once, exit 78', async () => {
    const { exitCode, stderr } = await recon(['run'], {
      env: { RECONCILIATION_ENABLED: 'perhaps', RECONCILIATION_GRACE_PERIDO: '5m', CIRCLE_BASE_URL: 'circle' },
    });
    expect(exitCode).toBe(78);
    expect(stderr.split('\n')).toEqual([
      'recon: RECONCILIATION_GRACE_PERIDO is not a variable of recon. Did you mean RECONCILIATION_GRACE_PERIOD?',
      'DATABASE_URL is not set.',
      'CIRCLE_BASE_URL must be a URL that begins with https:// or http://.',
      'RECONCILIATION_ENABLED must be true or false. It is "perhaps".',
      'Run `recon help environment` for every variable and its default.',
      'recon: exit 78',
      '',
    ]);
  });

  test('--env-file lies under it, before or after the command', async () => {
    const { url } = await firm();
    const file = await envFile(
      `# of the demo\nDATABASE_URL='${url}'\nRECONCILIATION_CHECKS=deposits\nRECONCILIATION_ENVIRONMENT=from the file\n`,
    );
    for (const argv of [
      ['--env-file', file, 'run', '-o', 'json'],
      ['run', '-o', 'json', '--env-file', file],
    ]) {
      const { exitCode, stdout } = await recon(argv, { env: { RECONCILIATION_ENVIRONMENT: 'from the world' } });
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ report: { metadata: { environment: 'from the world' } } });
    }
    const { stdout } = await recon(['--env-file', file, 'reports', 'show', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1 });
  });

  test('the environment wins over the file for a secret in whichever of its two variables', async () => {
    const { url } = await firm();
    const secret = await envFile(url);
    const listed = (content: string, env: Record<string, string>) =>
      envFile(content).then((file) => recon(['--env-file', file, 'reports', 'list'], { env }));
    const nowhere = 'postgres://recon@127.0.0.1:1/nowhere';
    expect(await listed('DATABASE_URL_FILE=/no/such/secret\n', { DATABASE_URL: url })).toMatchObject({ exitCode: 0 });
    expect(await listed(`DATABASE_URL=${nowhere}\n`, { DATABASE_URL_FILE: secret })).toMatchObject({ exitCode: 0 });
    expect(await listed(`DATABASE_URL_FILE=${secret}\n`, { DATABASE_URL: '' })).toMatchObject({ exitCode: 0 });
    const both = await listed(`DATABASE_URL=${nowhere}\nDATABASE_URL_FILE=${secret}\n`, {});
    expect(both.exitCode).toBe(78);
    expect(both.stderr).toContain('DATABASE_URL and DATABASE_URL_FILE are both set: unset one of them.');
  });

  test('a line that assigns nothing: 78', async () => {
    const file = await envFile("A='two\nlines'\n# a comment\n\nexport B=1\nRECONCILIATION_CHECKS deposits\nC=2\n");
    const { exitCode, stderr } = await recon(['--env-file', file, 'run'], { env: somewhere });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(`Line 6 of ${file} is not NAME=value.`);
  });

  test('a file that cannot be read: 78', async () => {
    const { exitCode, stderr } = await recon(['--env-file', '/no/such/file', 'run'], { env: somewhere });
    expect(exitCode).toBe(78);
    expect(stderr).toBe(
      'recon: The file of --env-file cannot be read: /no/such/file (ENOENT).\nCheck the path.\nrecon: exit 78\n',
    );
  });

  test('a source folder that is not there, or lacks a relation: 78', async () => {
    const { types } = await firm();
    const nowhere = await types(['run'], { env: { RECONCILIATION_SOURCE: '/no/such/folder' } });
    expect(nowhere).toMatchObject({ exitCode: 78, stdout: '' });
    expect(nowhere.stderr).toContain('RECONCILIATION_SOURCE names a folder that does not exist: /no/such/folder.');
    const empty = await types(['run'], { env: { RECONCILIATION_SOURCE: tmpdir() } });
    expect(empty.stderr).toMatch(/lacks ledger_accounts\.sql, ledger_transactions\.sql/);
  });

  test('RECONCILIATION_ENABLED=false: hourly and daily say so, manual runs', async () => {
    const { sql, types, runs } = await firm();
    const env = { RECONCILIATION_ENABLED: 'false' };
    for (const type of ['hourly', 'daily']) {
      const { exitCode, stdout, stderr } = await types(['run', '--type', type], { env });
      expect([exitCode, stdout]).toEqual([0, '']);
      expect(stderr).toBe(`recon: RECONCILIATION_ENABLED is false: the ${type} run did nothing; exit 0\n`);
    }
    expect(await runs(['--type', 'hourly'], { env })).toMatchObject({ report: null, checks: [], exceptions: [] });
    expect(await sql`select from reconciliation_reports`).toHaveLength(0);
    expect((await runs([], { env })).exitCode).toBe(2);
  });
});

describe('recon run --dry-run', { timeout: 60_000 }, () => {
  test('writes nothing, needs no tables of recon, and exits as the run would', async () => {
    const { sql, types, runs } = await firm();
    const dry = await runs(['--dry-run']);
    expect(dry).toMatchObject({
      exitCode: 2,
      report: { metadata: { dry_run: true, verdict: 'failed' }, exceptions_count: 1 },
      exceptions: [{ id: null, kind: 'missing_in_ledger', difference: '-5' }],
    });
    const { stdout } = await types(['run', '--dry-run']);
    expect(stdout).toMatch(/^DRY RUN, nothing is stored: manual run {2}production /);
    expect(stdout).toMatch(/^- +medium +missing_in_ledger +-5 +USDC +deposit [0-9a-f]{8} +[0-9a-f]{8} +- +-$/m);
    expect(stdout).toMatch(/^deposits: a run would verify through 2\S+ \S+ \S+; everything was looked at$/m);
    const tables = await sql<{ name: string; rows: number }[]>`
      select tablename as name,
        (xpath('/row/count/text()', query_to_xml(format('select count(*) from %I', tablename), false, true, '')))[1]::text::int as rows
      from pg_tables
      where tablename like 'reconciliation%' and tablename not in ('reconciliation_migrations', 'reconciliation_correction_switch')
      order by tablename`;
    expect(tables.length).toBeGreaterThan(4);
    expect(tables.filter(({ rows }) => rows > 0)).toEqual([]);

    await types(['migrate', 'down', '--yes', '--drop-history']);
    const { exitCode, stderr } = await types(['run', '--dry-run', '-o', 'csv']);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'recon: DRY RUN, nothing is stored: manual run failed: 0 of 1 check passed, 1 record compared, 1 finding (1 medium); exit 2\n',
    );
    expect(await sql`select from pg_tables where tablename like 'reconciliation%'`).toHaveLength(0);
  });
});

describe('the output of recon run', { timeout: 60_000 }, () => {
  test('JSON: the contract, and nothing else on stdout', async () => {
    const { sql, types } = await firm();
    const { stdout } = await types(['run', '-o', 'json'], { env: { FORCE_COLOR: '1' } });
    const document = JSON.parse(stdout) as { checks: object[]; report: object; exceptions: object[]; version: number };
    expect(Object.keys(document)).toEqual(['version', 'report', 'checks', 'exceptions']);
    expect(document.version).toBe(1);
    for (const [part, table] of [
      [document.report, 'reconciliation_reports'],
      [document.checks[0]!, 'reconciliation_checks'],
      [document.exceptions[0]!, 'reconciliation_exceptions'],
    ] as const) {
      const columns = await sql<{ name: string }[]>`
        select column_name as name from information_schema.columns where table_name = ${table}`;
      expect(Object.keys(part).toSorted(), table).toEqual(columns.map(({ name }) => name).toSorted());
      for (const [name, value] of Object.entries(part)) {
        if (name.endsWith('_at') && value !== null)
          expect(value, name).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
        if (/^(id|.*_id)$/.test(name) && value !== null) expect(value, name).toMatch(/^[0-9a-f-]{36}$/);
        if (/_value$|difference/.test(name)) expect(typeof value, name).toBe('string');
      }
    }
  });

  test('table: both sides and the next step; no colour in a pipe, on a terminal, or as NO_COLOR and FORCE_COLOR say', async () => {
    const { types } = await firm();
    const painted = async (env: Record<string, string>, terminal: boolean) =>
      (await types(['run'], { env, terminal })).stdout.includes('\u001b[');
    const { stdout } = await types(['run']);
    expect(stdout).toMatch(/^manual run [0-9a-f]{8} {2}production {2}2026-03-01 .* failed\n/);
    expect(stdout).toContain(
      'off (RECONCILIATION_CHECKS): ledger_consistency, circle_balance, alpaca_balance, conversion_jobs, withdrawals\n',
    );
    expect(stdout).toMatch(/deposits +failed +1 +1 +0 ms +5 +0 +-5 +USDC\n/);
    expect(stdout).toMatch(/\n[0-9a-f]{8} +medium +missing_in_ledger +-5 +USDC +deposit [0-9a-f]{8} +[0-9a-f]{8}/);
    expect(stdout).toMatch(/\nnext\n {2}recon exceptions show [0-9a-f]{8}\n {6}.*\n$/);
    expect(stdout).not.toContain('\u001b');
    expect(await painted({}, true)).toBe(true);
    expect(await painted({ NO_COLOR: '1' }, true)).toBe(false);
    expect(await painted({ CI: 'true' }, true)).toBe(false);
    expect(await painted({ FORCE_COLOR: '1' }, false)).toBe(true);
  });

  test('what is off is told from what this run left out', async () => {
    const { types } = await firm();
    const env = { RECONCILIATION_CHECKS: 'deposits,conversion_jobs,withdrawals' };
    const { stdout } = await types(['run', '--check', 'deposits'], { env });
    expect(stdout).toContain(
      'off (RECONCILIATION_CHECKS): ledger_consistency, circle_balance, alpaca_balance\nnot in this run: conversion_jobs, withdrawals\n',
    );
  });

  test('sums without a currency say so', async () => {
    const { types } = await firm();
    const source = await sourceFolder({
      deposits: (sql) => sql.replace('upper(deposit.token::text)', 'null::text'),
    });
    const { stdout } = await types(['run'], { env: { RECONCILIATION_SOURCE: source } });
    expect(stdout).toMatch(/deposits +failed +1 +1 +0 ms +5 +0 +-5 +without currency\n/);
  });

  test('an incomplete check says why, and is neither passed nor failed', async () => {
    const { url, sql, types } = await firm();
    await sql`alter table deposits rename to old_deposits`;
    const { exitCode, stdout } = await types(['run']);
    expect(exitCode).toBe(78);
    expect(stdout).toMatch(/deposits +incomplete/);
    expect(stdout).toContain(
      'deposits: A table that this check reads does not exist: relation "deposits" does not exist.',
    );
    const { host, pathname } = new URL(url);
    expect(stdout, 'it may be the wrong database').toContain(` The database is ${host}${pathname}, by DATABASE_URL.\n`);
    const elsewhere = { SOURCE_DATABASE_URL: `${url}?application_name=elsewhere` };
    expect((await types(['run'], { env: elsewhere })).stdout).toContain(
      ` is ${host}${pathname}, by SOURCE_DATABASE_URL.\n`,
    );
  });

  test.each<[string, (original: string) => string, RegExp]>([
    [
      'a column that is not in the table',
      (sql) => sql.replace('deposit.amount', 'deposit.worth'),
      /deposits: A column that this check reads does not exist: column deposit\.worth does not exist\./,
    ],
    [
      'a column that is forgotten',
      (sql) => `select id, user_id from (${sql}) as original`,
      /deposits: A column .*"amount" does not exist\./,
    ],
    [
      'what is no SQL',
      () => 'selct 1',
      /deposits: The database could not answer: syntax error at or near "selct" \(42601\)\./,
    ],
    [
      'two statements',
      (sql) => `select 1;\n${sql}`,
      /deposits: The database could not answer: syntax error at or near ";" \(42601\)\./,
    ],
    [
      'a time without a zone, which compares all the same',
      (sql) => sql.replace('deposit.created_at::timestamptz', "deposit.created_at at time zone 'UTC'"),
      /deposits: deposits\.created_at is timestamp, not timestamptz\./,
    ],
  ])('a mistake in the mapping names its file: %s', async (_, change, sentence) => {
    const { types } = await firm();
    const folder = await sourceFolder({ deposits: change });
    const { exitCode, stdout } = await types(['run'], { env: { RECONCILIATION_SOURCE: folder } });
    expect(exitCode).toBe(78);
    expect(stdout).toMatch(sentence);
    expect(stdout).toContain(` The mapping is ${join(folder, 'deposits.sql')}.\n`);
  });

  test('CSV: the exceptions, a header line first', async () => {
    const { types } = await firm();
    const lines = (await types(['run', '-o', 'csv'])).stdout.split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^id,report_id,check_id,check_type,kind,fingerprint,severity,/);
    expect(lines[1]).toMatch(
      /,deposits,missing_in_ledger,deposits\/missing_in_ledger\/deposit:[0-9a-f-]{36},medium,.*,5,0,-5,USDC,/,
    );
  });

  test('what the database and an API wrote cannot drive the terminal', async () => {
    const { url, sql, ledger, ada } = await firm();
    await withoutConstraints(sql);
    ledger.deposit(ada, '7', { status: 'hacked\u001b[2J\u202e' });
    await ledger.save(sql);
    const { env, circle } = await startCustodians(ada, { usdc: '0', cash: '0' });
    circle.faults.push(
      answers({ path: /./ }, { status: 400, body: JSON.stringify({ message: '\u001b]0;owned\u0007' }) }),
    );
    const { types } = operatorOf(url, {
      ...env,
      RECONCILIATION_CHECKS: 'circle_balance,deposits',
      RECONCILIATION_ENVIRONMENT: 'prod\u001b[31m',
      LOG_LEVEL: 'info',
    });
    const shown = [await types(['run'], { terminal: true, env: { NO_COLOR: '1' } })];
    const { stdout } = await types(['exceptions', 'list', '--kind', 'unknown_status', '-o', 'json']);
    const { exceptions } = JSON.parse(stdout) as { exceptions: { id: string }[] };
    expect(exceptions).toHaveLength(1);
    for (const argv of [
      ['exceptions', 'show', exceptions[0]!.id],
      ['reports', 'show'],
      ['reports', 'list'],
    ])
      shown.push(await types(argv, { terminal: true, env: { NO_COLOR: '1' } }));
    for (const { stdout: out, stderr } of shown) expect(out + stderr).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(shown[0]!.stdout).toContain('prod\\u001b[31m');
    expect(shown[1]!.stdout).toContain('hacked\\u001b[2J\\u202e');
  });
});

test('no secret reaches a stream or a row, even if a custodian sends it back', { timeout: 60_000 }, async () => {
  const { url, sql, ada } = await firm();
  const password = new URL(url).password;
  const { env, circle, alpaca } = await startCustodians(ada, { usdc: '0', cash: '0' });
  const basic = Buffer.from(`${alpacaKey}:${alpacaSecret}`).toString('base64');
  const message = `no such key: ${circleKey}`;
  circle.faults.push(answers({ path: /./ }, { status: 400, body: JSON.stringify({ code: 2, message }) }));
  alpaca.faults.push(
    answers({ path: /./ }, { status: 403, body: `you sent ${basic}, that is ${alpacaKey}:${alpacaSecret}` }),
  );
  const { types } = operatorOf(url, {
    ...env,
    RECONCILIATION_CHECKS: `circle_balance,alpaca_balance,${withoutCustodians}`,
    LOG_LEVEL: 'debug',
  });
  const outcomes = [];
  for (const argv of [['run'], ['run', '-o', 'json'], ['reports', 'show'], ['reports', 'list', '-o', 'csv']])
    outcomes.push(await types(argv));
  const stored = await sql`
    select (select jsonb_agg(to_jsonb(r)) from reconciliation_reports r)::text
      || (select jsonb_agg(to_jsonb(c)) from reconciliation_checks c)::text as text`;
  const everything = outcomes.map(({ stdout, stderr }) => stdout + stderr).join() + String(stored[0]!['text']);
  expect(everything).toMatch(/Circle could not be read|Circle refused/);
  expect(everything).toContain('Alpaca refused the credentials');
  expect(everything).not.toMatch(/canary/i);
  expect(everything).not.toContain(basic.slice(0, 20));
  expect(everything).not.toContain(url);
  if (password.length >= 8) expect(everything).not.toContain(password);
});
