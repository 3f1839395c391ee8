import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { alpacaFaults } from '../support/alpaca-faults.ts';
import { circleFaults } from '../support/circle-faults.ts';
import { alpacaKey, alpacaSecret, circleKey, startCustodians, type Custodians } from '../support/custodians.ts';
import { emptyDatabase, testDatabase } from '../support/database.ts';
import { LedgerBuilder, type User } from '../support/ledger.ts';
import { login } from '../support/login.ts';
import { cutAt } from '../support/run-check.ts';
import { answers } from '../support/sandbox-server.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { recon, withoutCustodians } from '../support/world.ts';

interface Diagnosis {
  topic: string;
  verdict: 'ok' | 'warning' | 'problem';
  message: string;
  next: string | null;
}

interface Practice {
  url: string;
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
  custodians: Custodians;
  /** What doctor says, by topic, and its exit code. */
  consult: (env?: Record<string, string>) => Promise<{ exitCode: number; of: (topic: string) => Diagnosis[] }>;
}

async function consultWith(env: Record<string, string>, flags: string[] = []) {
  const { exitCode, stdout, stderr } = await recon(['doctor', '-o', 'json', ...flags], {
    env,
    now: new Date(),
    asOf: null,
  });
  expect(stderr).toBe('');
  const { version, diagnoses } = JSON.parse(stdout) as { version: number; diagnoses: Diagnosis[] };
  expect(version).toBe(1);
  expect(exitCode).toBe(diagnoses.some(({ verdict }) => verdict === 'problem') ? 2 : 0);
  return { exitCode, diagnoses, of: (topic: string) => diagnoses.filter((diagnosis) => diagnosis.topic === topic) };
}

/** A ledger with one customer, both custodians, and everything as it should be. */
async function practice(): Promise<Practice> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 8 });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  ledger.investment(ada, '3');
  await ledger.save(sql);
  const custodians = await startCustodians(ada, { usdc: '0.5', cash: '3' }, () => new Date());
  return {
    url,
    sql,
    ledger,
    ada,
    custodians,
    consult: (env = {}) => consultWith({ DATABASE_URL: url, ...custodians.env, ...env }),
  };
}

describe('recon doctor', () => {
  test('says of everything how it is, one line each; the direction of the shipped formula is a warning', async () => {
    const { consult } = await practice();
    const { exitCode, of } = await consult();
    expect(exitCode).toBe(0);
    for (const topic of ['configuration', 'mapping', 'encryption', 'database', 'source', 'tables', 'owners'])
      expect(of(topic), topic).toMatchObject([{ verdict: 'ok', next: null }]);
    for (const topic of ['writers', 'clock', 'indexes', 'circle_balance', 'alpaca_balance'])
      expect(of(topic), topic).toMatchObject([{ verdict: 'ok', next: null }]);
    expect(of('rights')).toMatchObject([
      { verdict: 'warning', message: expect.stringContaining('superuser') as string },
    ]);
    expect(of('direction')).toMatchObject([
      {
        verdict: 'warning',
        message:
          'Deposits (the last 1) lower what the books say that Circle holds (system_buffer_usdc), though Circle’s own total rises by them.',
      },
    ]);
  });

  test('on a screen: a line, what to do below it, and what to do now', async () => {
    const { url } = await practice();
    const env = { DATABASE_URL: url, RECONCILIATION_CHECKS: withoutCustodians };
    const { stdout, exitCode } = await recon(['doctor'], { env, now: new Date(), asOf: null });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {7}tables {14}Schema public, all \d+ migrations applied\.$/m);
    expect(stdout).toMatch(/^warning {2}rights {14}.*\n {29}-> Use a role that is a member/m);
    expect(stdout).toMatch(/^ok {7}circle_balance {6}Off: RECONCILIATION_CHECKS leaves it out\.$/m);
    expect(stdout).toMatch(
      /\nNo problems, with 3 warnings above\. Next: `recon run --type daily`; then `recon schedule print`, for .+\n$/,
    );
  });

  test('says whether what a run finds reaches anybody, and sends nothing', async () => {
    const { consult } = await practice();
    const gateway = createHttpServer(({ method, url }, response) => {
      response.writeHead(method === 'GET' && url === '/push/-/ready' ? 200 : 503).end();
    });
    await once(gateway.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void gateway.close());
    const host = `127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const told = await consult({
      RECONCILIATION_ALERT_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/secret',
      PUSHGATEWAY_URL: `http://${host}/push`,
    });
    expect(told.of('alerts')).toMatchObject([{ verdict: 'ok', message: expect.stringContaining('slack') as string }]);
    expect(told.of('metrics')).toMatchObject([{ verdict: 'ok', message: `The Pushgateway at ${host} is ready.` }]);
    const broken = await consult({ PUSHGATEWAY_URL: `http://${host}` });
    expect(broken.of('alerts')).toMatchObject([{ verdict: 'warning' }]);
    expect(broken.of('metrics')).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining('answered 503') as string },
    ]);
  });

  test('what is missing comes with what it is, what is wrong with where to look', async () => {
    const none = await consultWith({});
    expect(none.diagnoses).toMatchObject([
      {
        topic: 'configuration',
        verdict: 'problem',
        message: expect.stringContaining('DATABASE_URL is not set') as string,
        next: expect.stringMatching(
          /postgres:.*\. Set it in .* begin with a copy of \/.*\/\.env\.example\.$/,
        ) as string,
      },
    ]);
    expect((await consultWith({ DATABASE_URL: 'postgres://a:b@127.0.0.1:1/app' })).of('database')).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining('cannot be reached') as string },
    ]);

    const { url, sql, consult } = await practice();
    const wrong = new URL(url);
    wrong.password = 'no-such-password';
    const refused = await consult({ DATABASE_URL: wrong.href });
    expect(refused.of('database')).toMatchObject([
      { verdict: 'problem', next: expect.stringContaining('user and password') as string },
    ]);
    expect(refused.of('alpaca_balance')).toMatchObject([
      { verdict: 'warning', message: expect.stringMatching(/Not compared with .*: database comes first\.$/) as string },
    ]);
    const mistyped = await consult({ RECONCILIATION_SCHEMA: 'pubic', CIRCLE_BASE_URL: 'http://127.0.0.1:1' });
    expect(mistyped.of('tables')).toMatchObject([
      { verdict: 'problem', next: expect.stringContaining('RECONCILIATION_SCHEMA=public') as string },
    ]);
    expect(mistyped.of('source')).toMatchObject([{ verdict: 'ok' }]);
    expect(mistyped.of('rights')).toMatchObject([
      { verdict: 'warning', message: 'Not looked at: tables comes first.' },
    ]);
    expect(mistyped.of('circle_balance')).toMatchObject([
      { verdict: 'problem', next: expect.stringContaining('CIRCLE_BASE_URL (http://127.0.0.1:1)') as string },
    ]);
    expect(await sql`select from reconciliation_reports`).toHaveLength(0);
  });

  test('a live and a test custodian together are told without asking anybody', async () => {
    const env = { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/app', CIRCLE_API_KEY: 'TEST_API_KEY:a:b' };
    const mixed = await consultWith(env, ['--offline']);
    expect(mixed.of('custodians')).toMatchObject([
      {
        verdict: 'warning',
        message:
          'Two environments are mixed: CIRCLE_API_KEY (TEST_API_KEY) is of the test environment, ALPACA_BASE_URL (broker-api.alpaca.markets) is of the live environment.',
      },
    ]);
    const sandbox = { ALPACA_BASE_URL: 'https://broker-api.sandbox.alpaca.markets' };
    const withoutCircle = { RECONCILIATION_CHECKS: 'alpaca_balance' };
    for (const more of [sandbox, withoutCircle, { CIRCLE_API_KEY: 'LIVE_API_KEY:a:b' }])
      expect((await consultWith({ ...env, ...more }, ['--offline'])).of('custodians')).toEqual([]);
  });

  test('what no check reads is not looked at', async () => {
    const { consult, sql } = await practice();
    await sql`alter table wallets rename to purses`;
    await sql`drop index deposits_created_at_idx`;
    const only = await consult({ RECONCILIATION_CHECKS: 'ledger_consistency' });
    expect(only.exitCode).toBe(0);
    expect(only.of('indexes')).toMatchObject([{ verdict: 'ok' }]);
    expect([...only.of('owners'), ...only.of('direction')]).toEqual([]);
    const all = await consult();
    expect(all.of('source')).toMatchObject([
      { verdict: 'problem', next: expect.stringMatching(/^Copy .*, change that file, and set/) as string },
    ]);
    expect(all.of('indexes')).toMatchObject([{ verdict: 'warning', message: 'Not looked at: source comes first.' }]);
  });

  test('every wrong variable is a line of its own, and nothing else is asked', async () => {
    const { diagnoses } = await consultWith({ DATABASE_URL: 'mysql://x', RECONCILIATION_GRACE_PERIOD: 'soon' });
    expect(diagnoses.map(({ topic, verdict }) => `${topic} ${verdict}`)).toEqual([
      'configuration problem',
      'configuration problem',
    ]);
    const offline = await consultWith({ DATABASE_URL: 'postgres://a:b@nowhere.invalid/app?sslmode=require' }, [
      '--offline',
    ]);
    expect(offline.diagnoses.map(({ topic, verdict }) => `${topic} ${verdict}`)).toEqual([
      'configuration ok',
      'mapping ok',
      'encryption warning',
      'circle_balance problem',
      'alpaca_balance problem',
      'alerts warning',
      'metrics warning',
    ]);
    const set = { CIRCLE_API_KEY: circleKey, ALPACA_API_KEY: alpacaKey, PUSHGATEWAY_URL: 'http://gateway.invalid' };
    const half = await consultWith({ DATABASE_URL: 'postgres://a:b@nowhere.invalid/app?sslmode=verify-full', ...set }, [
      '--offline',
    ]);
    expect(half.diagnoses.slice(4)).toMatchObject([
      { topic: 'alpaca_balance', verdict: 'problem', message: 'ALPACA_API_SECRET is not set: a run exits with 78.' },
      { topic: 'alerts', verdict: 'warning', message: 'Nobody is told what a run finds.' },
    ]);
    for (const [query, told] of [
      ['', 'not encrypted (no sslmode in DATABASE_URL).'],
      ['?sslmode=disable', 'not encrypted (sslmode=disable).'],
    ] as const) {
      const { of } = await consultWith({ DATABASE_URL: `postgres://a:b@nowhere.invalid/app${query}` }, ['--offline']);
      expect(of('encryption')).toMatchObject([{ message: expect.stringContaining(told) as string }]);
    }
    expect(
      (await consultWith({ DATABASE_URL: 'postgres://a:b@h/d', RECONCILIATION_SOURCE: './nowhere' })).of('mapping'),
    ).toMatchObject([{ verdict: 'problem', message: expect.stringContaining('does not exist') as string }]);
  });

  test('a relation of another shape, one that is missing, and hidden rows are named with their file', async () => {
    const { consult, sql } = await practice();
    const source = await sourceFolder({
      deposits: (text) => text.replace('deposit.amount::numeric', 'deposit.amount::float8'),
      withdrawals: (text) => text.replace('from withdrawals', 'from payouts'),
    });
    const { of } = await consult({ RECONCILIATION_SOURCE: source });
    expect(of('source')).toMatchObject([
      {
        verdict: 'problem',
        message: 'deposits.amount is float8, not numeric.',
        next: `Cast it in ${source}/deposits.sql.`,
      },
      {
        verdict: 'problem',
        message: expect.stringMatching(/^withdrawals: .*"payouts" does not exist.*withdrawals\.sql/) as string,
      },
    ]);
    expect((await consult()).of('source')).toMatchObject([{ verdict: 'ok' }]);
    expect(await sql`select from reconciliation_reports`).toHaveLength(0);
  });

  test('words that recon does not know are told with the file that says them, and those of the host with care', async () => {
    const { consult, sql } = await practice();
    await sql`update deposits set created_at = now()`; // recent
    const source = await sourceFolder({
      ledger_accounts: (text) => text.replace("'debit'::text", "'DEBIT'::text"),
      ledger_entries: (text) =>
        text
          .replace('entry.entry_type::text', 'upper(entry.entry_type::text)')
          .replace('entry.currency::text', "case entry.currency when 'USDC' then 'usdc' else entry.currency end::text"),
      deposits: (text) => text.replace("then 'settled'", "then 'done'"),
      recent_records: (text) => text.replace("'deposit'::text", "'deposits'::text"),
      custody_accounts: (text) => text.replace("'alpaca'::text", 'null::text'),
      custody_positions: (text) => text.replaceAll('account.currency::text', 'lower(account.currency::text)'),
    });
    const { of } = await consult({ RECONCILIATION_SOURCE: source });
    const mend = 'Mend that file.';
    expect(of('source')).toEqual(
      [
        ['problem', 'ledger_accounts.sql gives normal_side `DEBIT`; known are debit, credit.', mend],
        ['problem', 'ledger_entries.sql gives entry_type `CREDIT`, `DEBIT`; known are debit, credit.', mend],
        [
          'warning',
          'ledger_entries.sql gives currency `usdc` beside what is known (USDC, USD).',
          `If your tables say the same in several ways, translate it. ${mend} If it is a fault in your data, a run reports it.`,
        ],
        ['problem', 'deposits.sql gives state `done`; known are pending, settled, failed, unknown.', mend],
        [
          'problem',
          'recent_records.sql gives record_kind `deposits`; known are deposit, withdrawal, conversion_job.',
          mend,
        ],
        ['problem', 'custody_accounts.sql gives custodian null; known are circle, alpaca.', mend],
        ['problem', 'custody_positions.sql gives currency `usd`, `usdc`; known are USDC, USD.', mend],
      ].map(([verdict, message, next]) => ({ topic: 'source', verdict, message, next })),
    );
  });

  test('the direction follows the mapping', async () => {
    const { consult, sql, ledger, ada } = await practice();
    ledger.openAccount(ada, 'stash_balance');
    await ledger.save(sql);
    const source = await sourceFolder({
      custody_positions: (text) => text.replace("'system_buffer_usdc'", "'usdc_balance'"),
    });
    expect((await consult({ RECONCILIATION_SOURCE: source })).of('direction')).toMatchObject([
      { verdict: 'ok', message: 'Deposits raise what the books say that Circle holds (usdc_balance).' },
    ]);
    const doubled = await sourceFolder({
      custody_positions: (text) =>
        text.replace('account.balance::numeric as expected', '2 * account.balance as expected'),
    });
    expect((await consult({ RECONCILIATION_SOURCE: doubled })).of('direction')).toMatchObject([
      { verdict: 'warning', message: expect.stringContaining('cannot be told') as string },
    ]);
    await sql`update ledger_transactions set status = 'failed' where transaction_type = 'deposit'`;
    expect((await consult({ RECONCILIATION_SOURCE: doubled })).of('direction'), 'of empty books').toMatchObject([
      { verdict: 'ok', message: expect.stringContaining('No deposit is booked yet') as string },
    ]);
  });

  test('users without an account at a custodian, and accounts of two users', async () => {
    const { consult, sql, ledger } = await practice();
    const [bob, cy] = [ledger.user(), ledger.user()];
    ledger.deposit(bob, '7');
    ledger.investment(bob, '7');
    await ledger.save(sql);
    await sql`update users set alpaca_account_id = null where id = ${bob.id}`;
    await sql`alter table wallets drop constraint wallets_circle_wallet_id_key`;
    await sql`update wallets set circle_wallet_id = ${bob.walletId} where user_id = ${cy.id}`;
    expect((await consult()).of('owners')).toMatchObject([
      {
        verdict: 'warning',
        message: `Users with money at alpaca by the books, but without an account there: 1, together 7 (${bob.id}).`,
      },
      { verdict: 'warning', message: `Accounts at circle that belong to more than one user: 1 (${bob.walletId}).` },
    ]);
  });

  test('an index that is missing comes with the statement that makes it', async () => {
    const { consult, sql } = await practice();
    const statements = [];
    // an index that begins with another column, here (status, created_at), would be read from end to end
    for (const index of [
      'ledger_entries_created_at_idx',
      'ledger_entries_account_id_idx',
      'withdrawals_created_at_idx',
    ])
      await sql`drop index ${sql(index)}`;
    for (const { verdict, message, next } of (await consult()).of('indexes')) {
      expect([verdict, message]).toEqual([
        'warning',
        expect.stringMatching(/reads all of public\.\w+ \(about \d+ rows, .* for want of an index/),
      ]);
      statements.push(next!.replaceAll('`', ''));
    }
    expect(statements).toEqual([
      'create index concurrently on public.ledger_entries (created_at);',
      'create index concurrently on public.ledger_entries (account_id, created_at);',
      'create index concurrently on public.withdrawals (created_at);',
    ]);
    for (const statement of statements) await sql.unsafe(statement);
    expect((await consult()).of('indexes')).toMatchObject([{ verdict: 'ok' }]);
    await sql`drop table reconciliation_totals`; // as half of a backup leaves it
    expect((await consult()).of('tables')).toMatchObject([
      {
        verdict: 'problem',
        message: 'The schema public lacks what its migrations made: reconciliation_totals.',
        next: expect.stringMatching(/^Bring it back from a backup \(\/.*\/deploy\/backup\.md\)/) as string,
      },
    ]);
  });

  test('a refused key and a custodian that is down are told apart, and no secret is shown', async () => {
    const { ada, consult, custodians } = await practice();
    const { of } = await consult({ CIRCLE_API_KEY: `${circleKey}x`, ALPACA_API_SECRET: `${alpacaSecret}x` });
    expect(of('circle_balance')).toMatchObject([
      {
        verdict: 'problem',
        next: expect.stringMatching(/^Check CIRCLE_API_KEY, which must be .* of CIRCLE_BASE_URL \(/) as string,
      },
    ]);
    expect(of('alpaca_balance')).toMatchObject([
      {
        verdict: 'problem',
        next: expect.stringContaining('Check ALPACA_API_KEY and ALPACA_API_SECRET, which ') as string,
      },
    ]);
    custodians.circle.faults.push(answers({ path: /./ }, { status: 501 }));
    custodians.alpaca.faults.push(answers({ path: /./ }, { status: 500, body: `no ${alpacaKey} ${alpacaSecret}` }));
    const down = await consult();
    for (const topic of ['circle_balance', 'alpaca_balance'])
      expect(down.of(topic)).toMatchObject([
        { verdict: 'problem', next: expect.stringContaining('Try again') as string },
      ]);
    expect(JSON.stringify(down)).not.toMatch(/canary/i);
    for (const sandbox of [custodians.circle, custodians.alpaca]) sandbox.faults.length = 0;

    circleFaults['key of the other environment'](custodians.circle);
    alpacaFaults['empty listing'](custodians.alpaca);
    const apart = await consult();
    expect(apart.of('circle_balance')).toMatchObject([
      {
        verdict: 'problem',
        message: expect.stringContaining('Circle refused the environment') as string,
        next: expect.stringMatching(/^CIRCLE_API_KEY begins with TEST_API_KEY: it sees testnets only/) as string,
      },
    ]);
    const [elsewhere] = apart.of('alpaca_balance');
    expect(elsewhere).toMatchObject({
      verdict: 'problem',
      message: `The custodian answers, and takes the credentials: 0 accounts read, but not 1 of the 1 that the books know (${ada.alpacaAccountId}).`,
    });
    const [, runbook = '', section = ''] = / (\/\S+), "(.+)", goes on/.exec(elsewhere!.next!)!;
    expect(await readFile(runbook, 'utf8')).toContain(`\n## ${section}\n`);
  });

  test('a transaction that has been open for long, and what a check without a key wants', async () => {
    const { consult, sql, url } = await practice();
    const open = await sql.reserve();
    await open`begin`;
    const inMinutes = async (minutes: number) =>
      (
        await recon(['doctor'], {
          env: { DATABASE_URL: url },
          now: new Date(Date.now() + minutes * 60_000),
          asOf: null,
        })
      ).stdout;
    expect(await inMinutes(14)).toMatch(/^ok {7}writers .*The oldest open transaction began at/m);
    expect(await inMinutes(16)).toMatch(/^warning {2}writers .*: hourly runs verify up to there only\./m);
    await open`rollback`;
    open.release();
    const { of } = await consult({ ALPACA_API_KEY: '', RECONCILIATION_CHECKS: 'deposits,alpaca_balance' });
    expect(of('alpaca_balance')).toMatchObject([
      { verdict: 'problem', next: expect.stringMatching(/RECONCILIATION_CHECKS=deposits$/) as string },
    ]);
  });

  test('a database without the ledger is told once, before anybody makes tables there; a schema that is not looked into, too', async () => {
    const { url, sql } = await emptyDatabase();
    const said = async () => {
      const { diagnoses } = await consultWith({ DATABASE_URL: url, RECONCILIATION_CHECKS: withoutCustodians });
      return diagnoses.filter(({ verdict, message }) => verdict === 'problem' || message.startsWith('Not looked at'));
    };
    const wrongDatabase = await said();
    expect(wrongDatabase).toMatchObject([
      { topic: 'host', next: expect.stringMatching(/^Is this the right database and schema\?/) as string },
      { topic: 'tables', message: 'Not looked at: host comes first.' },
      { topic: 'source', message: 'Not looked at: host comes first.' },
      ...['rights', 'owners', 'direction', 'indexes'].map((topic) => ({ topic, verdict: 'warning' })),
    ]);
    expect(wrongDatabase[0]!.message).toMatch(/\(public\): .*ledger_accounts/);
    await sql.unsafe(await readFile(new URL('../support/host.sql', import.meta.url), 'utf8'));
    expect((await said())[0]).toMatchObject({ topic: 'tables' });
    await sql`alter schema public rename to app`;
    expect((await said())[0]).toMatchObject({
      topic: 'host',
      next: expect.stringMatching(
        /^They are in the schema app: `alter role \w+ set search_path = app, public;`$/,
      ) as string,
    });
  });

  test('whether the role sees the transactions of others is told also while there are none', async () => {
    const { url, sql } = await emptyDatabase();
    const { pathname } = new URL((await emptyDatabase()).url); // where nobody is
    const role = await login(sql, url);
    const env = { DATABASE_URL: Object.assign(new URL(role.url), { pathname }).href };
    expect((await consultWith(env)).of('writers')).toMatchObject([
      { verdict: 'warning', next: `As a database administrator: \`grant pg_read_all_stats to ${role.name};\`` },
    ]);
    await sql.unsafe(`grant pg_read_all_stats to ${role.name}`);
    expect((await consultWith(env)).of('writers')).toMatchObject([{ verdict: 'ok' }]);
  });

  test('a table that somebody keeps locked is named with who holds it, within seconds', async () => {
    const { consult, sql } = await practice();
    const migrating = await sql.reserve();
    await migrating`set application_name = 'left open'`;
    await migrating`begin`;
    await migrating`lock table ledger_entries`;
    const [own] = await migrating<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const begun = performance.now();
    const { of } = await consult();
    expect(performance.now() - begun).toBeLessThan(15_000);
    await migrating`rollback`;
    migrating.release();
    expect(of('source')).toMatchObject([
      {
        verdict: 'problem',
        message: expect.stringMatching(/keeps readers out, so not looked at: .*ledger_entries/) as string,
        next: expect.stringMatching(
          `Locked at that moment: session ${own!.pid} of the role .*: ledger_entries\\.$`,
        ) as string,
      },
    ]);
    expect(of('indexes')).toMatchObject([{ message: 'Not looked at: source comes first.' }]);
  });

  test('clocks that differ, and a port where no PostgreSQL listens', async () => {
    const { url } = await emptyDatabase();
    const { stdout } = await recon(['doctor'], { env: { DATABASE_URL: url }, now: new Date(Date.now() + 600_000) });
    expect(stdout).toMatch(/^problem {2}clock {15}The database’s clock is (599|600|601) s behind this machine’s\.$/m);
    const replica = new URL(url);
    replica.searchParams.set('sslmode', 'disable'); // another address of the same server
    const elsewhere = await consultWith({ DATABASE_URL: url, SOURCE_DATABASE_URL: replica.href });
    expect(elsewhere.of('clock').map(({ message }) => message.replace(/ is .*/, ''))).toEqual([
      'The database’s clock',
      'The clock where the checks read',
    ]);

    const silent = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    expect((await consultWith({ DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/app` })).of('database')).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining('may be no PostgreSQL') as string },
    ]);
  });
});
