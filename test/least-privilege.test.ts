import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../src/migrations/files.ts';
import { offeredCommands } from './support/commands.ts';
import { startCustodians } from './support/custodians.ts';
import { connectTo, emptyDatabase, testDatabase } from './support/database.ts';
import { LedgerBuilder } from './support/ledger.ts';
import { login } from './support/login.ts';
import { startReceiver } from './support/receiver.ts';
import { cutAt } from './support/run-check.ts';
import { testWith } from './support/installed.ts';
import { listSchema } from './support/schema-listing.ts';
import { operatorOf, recon, type RunDocument } from './support/world.ts';

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');
const roles = await read('sql/roles.sql');

/** Runs of that time can be purged. */
const longAgo = new Date(cutAt.getTime() - 200 * 86_400_000);

/** On one connection, as psql runs a script. */
async function byHand(sql: postgres.Sql, script: string): Promise<void> {
  const connection = await sql.reserve();
  await connection.unsafe(script.replace('\\set ON_ERROR_STOP on\n', ''));
  await connection.unsafe('reset search_path');
  connection.release();
}

/** Books with one fault, and beside the roles what PostgreSQL lets everybody do: no right too many. */
async function asInstalled() {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 5 });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  ledger.investment(ada, '3');
  ledger.conversionJob('usdc_to_usd', '2');
  ledger.withdrawal(ada, '1');
  const missing = ledger.deposit(ada, '50', { post: false });
  await ledger.save(sql);
  await sql.unsafe(roles);
  return { url, sql, ada, missing };
}

/** The same in a database that lets nobody in by default: no right too few. */
async function lockedDown() {
  const at = await asInstalled();
  await at.sql.unsafe(`revoke all on database ${new URL(at.url).pathname.slice(1)} from public`);
  await at.sql`revoke all on schema public from public`;
  await at.sql`revoke execute on all functions in schema public from public`;
  return at;
}

/** What somebody types who only looks: these need no right to write. */
const looking = [
  'alerts list',
  'alerts test',
  'checks deposits',
  'completion bash',
  'corrections list',
  'corrections switch',
  'corrections show PROPOSAL',
  'doctor',
  'exceptions list',
  'exceptions show EXCEPTION',
  'exceptions show EXCEPTION --sql',
  'help environment',
  'metrics print',
  'metrics push',
  'migrate down --print',
  'migrate status',
  'migrate up',
  'purge --dry-run',
  'purge --log',
  'reports list',
  'reports show',
  'reports show -o html',
  'run --dry-run --fail-on never',
  'schedule print',
  'status',
];

/** And what changes something, as it would. */
const changing = [
  'alerts retry',
  'corrections approve PROPOSAL --yes --by Grace',
  'corrections propose EXCEPTION',
  'corrections reject PROPOSAL --note x --by Grace',
  'corrections resume --note x',
  'corrections stop --note x',
  'corrections undo CORRECTION --note x --yes',
  'exceptions accept EXCEPTION --until 7d --note x',
  'exceptions acknowledge EXCEPTION',
  'exceptions apply - --yes',
  'exceptions assign EXCEPTION --to Ada',
  'exceptions comment EXCEPTION --note x',
  'exceptions reopen RESOLVED --note x',
  'exceptions resolve EXCEPTION --note x',
  'exceptions snooze EXCEPTION --until 7d',
  'migrate down --yes --drop-history',
  'purge --yes',
  'run',
];

describe('with exactly the rights of sql/roles.sql', () => {
  test('a newcomer whose role may do nothing gets there by doing what doctor says, word for word', async () => {
    const { url, sql } = await emptyDatabase();
    await sql.unsafe(await read('test/support/host.sql'));
    await sql`revoke all on schema public from public`;
    const ledger = new LedgerBuilder({ now: new Date() });
    const ada = ledger.user();
    ledger.deposit(ada, '5');
    ledger.investment(ada, '3');
    await ledger.save(sql);
    const { CIRCLE_API_KEY, ALPACA_API_KEY, ALPACA_API_SECRET, ...urls } = (
      await startCustodians(ada, { usdc: '0', cash: '3' }, () => new Date())
    ).env;
    const keys = { CIRCLE_API_KEY, ALPACA_API_KEY, ALPACA_API_SECRET };
    const env: Record<string, string> = { ...urls };
    const now = { now: new Date(), asOf: null };

    /** Does what a hint says; a person has the URL and the keys, an administrator the database. */
    const obey = async (hint: string): Promise<void> => {
      const [, command] = /`recon (migrate up --print)`/.exec(hint) ?? [];
      const [, statement] = /^As a database administrator: `(grant .+;)`$/.exec(hint) ?? [];
      const [, file, grant] = /psql .*-f (\S+)`, and then: `(.+)`$/.exec(hint) ?? [];
      if (command !== undefined) await byHand(sql, (await recon(command.split(' '), { env })).stdout);
      else if (file !== undefined) await byHand(sql, `${await readFile(file, 'utf8')}; ${grant!}`);
      else if (statement !== undefined) await sql.unsafe(statement);
      else if (hint.startsWith('PostgreSQL with the ledger')) env['DATABASE_URL'] = (await login(sql, url)).url;
      else if (/^(Circle|Alpaca Broker) API (key|secret)/.test(hint)) Object.assign(env, keys);
      else throw new Error(`A newcomer cannot know what this means: ${hint}`);
    };
    const consult = async () => {
      const { stdout } = await recon(['doctor', '-o', 'json'], { env, ...now });
      const { diagnoses } = JSON.parse(stdout) as { diagnoses: { topic: string; verdict: string; next: string }[] };
      return diagnoses.filter(({ verdict }) => verdict === 'problem');
    };
    const told: string[] = [];
    for (let problems = await consult(); problems.length > 0; problems = await consult()) {
      const { topic, next } = problems[0]!;
      told.push(topic);
      expect(told.length, next).toBeLessThan(9);
      const [, others] = /Or do without: RECONCILIATION_CHECKS=(\S+)$/.exec(next) ?? [];
      const without = { ...env, RECONCILIATION_CHECKS: others ?? '' };
      if (others !== undefined)
        expect(await recon(['doctor'], { env: without, ...now })).toMatchObject({ exitCode: 0 });
      await obey(next);
    }
    expect(told).toEqual(['configuration', 'tables', 'tables', 'tables', 'circle_balance']); // schema, tables, rights
    expect(await recon(['run', '--type', 'daily'], { env, ...now })).toMatchObject({ exitCode: 0 });
  });

  test('runs and people do their work, and doctor misses only what the file leaves to choose', async () => {
    const { url, sql, ada, missing } = await lockedDown();
    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    let clock = cutAt;
    const { env } = await startCustodians(ada, { usdc: '0', cash: '3' }, () => clock);
    const { runs, types } = operatorOf(role.url, env);
    for (const type of ['daily', 'hourly']) {
      const { exceptions, checks } = await runs(['--type', type, '--fail-on', 'never']);
      expect(checks.map(({ error_message: why }) => why)).toEqual(Array(6).fill(null));
      expect(exceptions.map(({ affected_entity: subject }) => subject)).toContain(missing.subject);
    }
    const { id } = (await runs()).exceptions[0]!;
    for (const words of [['acknowledge'], ['accept', '--until', '7d', '--note', 'x'], ['reopen', '--note', 'x']])
      expect(await types(['exceptions', words[0]!, id, ...words.slice(1), '--by', 'Ada'])).toMatchObject({
        exitCode: 0,
      });
    expect(await types(['exceptions', 'resolve', id, '--by', 'Ada', '--note', 'seen'])).toMatchObject({ exitCode: 0 });

    clock = new Date();
    const { stdout } = await types(['doctor'], { now: clock, asOf: null });
    expect(stdout).toMatch(/^ok {7}rights .*and no more\./m);
    expect(stdout).toMatch(/^ok {7}source /m);
    expect(stdout).not.toMatch(/^problem/m);
  });

  test('the reader sees everything and changes nothing: whoever is on call, an auditor, a dry run', async () => {
    const { url, sql, missing } = await lockedDown();
    await sql`update conversion_jobs set ledger_transaction_id = null`;
    const hand = (await login(sql, url, 'recon_reader', 'recon_writer', 'recon_corrector')).url;
    const writer = operatorOf(hand, { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' });
    const { exceptions } = await writer.runs(); // what is corrected is resolved
    await sql`insert into reconciliation_reports (run_type, status, created_at, started_at, completed_at)
      select 'hourly', 'completed', run.at, run.at, run.at
      from generate_series(${longAgo}::timestamptz, ${longAgo}::timestamptz + interval '2 hours', '1 hour') as run (at)`;
    await writer.types(['corrections', 'propose', exceptions[0]!.id]);
    const [ids] = await sql<Record<string, string>[]>`
      select
        (select id from reconciliation_exceptions where affected_entity = ${missing.subject}) as "EXCEPTION",
        (select id from reconciliation_exceptions where resolved_at is not null) as "RESOLVED",
        (select id from reconciliation_corrections where state = 'proposed') as "PROPOSAL",
        (select id from reconciliation_corrections where state = 'applied') as "CORRECTION"
    `;
    const { url: listener } = await startReceiver();
    const auditor = operatorOf((await login(sql, url, 'recon_reader')).url, {
      PUSHGATEWAY_URL: listener,
      RECONCILIATION_ALERT_WEBHOOK_URL: listener,
    });
    const piped = `id,action,note\n${ids!['EXCEPTION']!},comment,x\n`;
    const type = (line: string) =>
      auditor.types(
        line.split(' ').map((word) => ids![word] ?? word),
        { now: new Date(), asOf: null, piped },
      );

    for (const line of looking) {
      const { exitCode, stdout, stderr } = await type(line);
      expect(exitCode, `${line}\n${stderr}`).toBe(line === 'doctor' ? 2 : 0); // it speaks of runs
      if (line === 'doctor') expect(stdout).toMatch(/^problem {2}rights {14}The role may only look, .*neither run/m);
    }
    for (const line of changing) {
      const { exitCode, stdout, stderr } = await type(line);
      expect([exitCode, stdout], line).toEqual([78, '']);
      expect(stderr, line).toMatch(
        /^recon: .*(permission denied for table .* \(42501\)\.|they belong to \w+\. Nothing was changed\.)\n.*\n/m,
      );
      expect(stderr, line).not.toContain('    at ');
      expect(stderr, line).toMatch(/recon_corrector|the role that owns/); // all four roles, or the one that is meant
    }
    const offered = (await offeredCommands()).filter(({ isLast }) => isLast).map(({ path }) => path.join(' '));
    const typed = [...looking, ...changing].map((line) =>
      offered.find((command) => `${line} `.startsWith(`${command} `)),
    );
    expect(offered.filter((command) => !typed.includes(command))).toEqual([]);
  });

  test('each right is needed: without it doctor names it', async () => {
    const { url, sql } = await lockedDown();
    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    const { types } = operatorOf(role.url);
    const grants = [...roles.matchAll(/^grant ([a-z, ]+) on (reconciliation_\w+) to recon_writer;$/gm)];
    const tables = [...(await readMigrations()).flatMap((migration) => migration.tables), 'reconciliation_migrations'];
    expect(grants.map(([, , table]) => table).sort()).toEqual(tables.sort());
    const [, readable] = /^grant select on (reconciliation_[^;]+)\s+to recon_reader;$/m.exec(roles)!;
    expect(readable!.trim().split(/,\s+/).sort()).toEqual(tables);
    const [, privileges = '', table = ''] = grants.at(-1)!;
    const right = privileges.split(', ').at(-1)!;
    await sql.unsafe(`revoke ${right} on ${table} from recon_writer`);
    const { stdout, exitCode } = await types(['doctor'], { now: new Date(), asOf: null });
    await sql.unsafe(roles); // may be run again
    await sql.unsafe(`grant update on ledger_entries, deposits to ${role.name}`);
    expect((await types(['doctor'], { now: new Date(), asOf: null })).stdout).toContain(
      'The role may write tables that are not recon’s (deposits, ledger_entries): whoever',
    );
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining(`The role may not ${right} on ${table}.`)]);
  });

  test('a right that no run needs is a warning, on single columns too, and the owner’s; of corrections in use none', async () => {
    const { url, sql } = await lockedDown();
    const role = await login(sql, url, 'recon_reader', 'recon_writer', 'recon_corrector');
    const rightsOf = async (env: Record<string, string> = {}) => {
      const { stdout } = await operatorOf(role.url, env).types(['doctor'], { now: new Date(), asOf: null });
      return stdout.split('\n').filter((line) => / {2}(rights|corrections) /.test(line));
    };
    expect(await rightsOf()).toEqual([
      'warning  rights              The role may write tables that are not recon’s (conversion_jobs, deposits, ledger_accounts, …): whoever has its password may change the ledger.',
    ]);
    const asUsed =
      'ok       rights              The role may do what a run does, and beyond that no more than corrections take, which are looked at next.';
    expect(await rightsOf({ CORRECTION_DATABASE_URL: role.url })).toEqual([
      asUsed,
      'ok       corrections         The role of CORRECTION_DATABASE_URL may write what corrections write; automatic: no.',
    ]);
    await sql.unsafe(`revoke recon_corrector from ${role.name}`);
    expect(await rightsOf({ RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' })).toEqual([
      asUsed,
      expect.stringMatching(/^problem {2}corrections {9}The role of DATABASE_URL cannot make corrections: permission /),
    ]);
    await sql.unsafe(`grant recon_purger to ${role.name}`);
    expect(await rightsOf()).toEqual([
      'warning  rights              The role may do what no run does (delete on reconciliation_reports; delete on reconciliation_checks; delete on reconciliation_findings; …): whoever has its password may remove what was found.',
    ]);
  });

  test('what doctor gives to copy names the database and the schema as psql and a shell take them', async () => {
    const { url, sql } = await testDatabase();
    const [database, schema] = [new URL(url).pathname.slice(1), "Of recon's"];
    const role = await login(sql, url);
    await sql.unsafe(`create schema "${schema}"; alter database ${database} set search_path = "${schema}", public`);
    await operatorOf(url).types(['migrate', 'up']);
    await sql.unsafe(`grant usage on schema "${schema}" to ${role.name}; grant usage on schema public to ${role.name}`);
    await sql.unsafe(`grant select on all tables in schema public to ${role.name}`);
    const hintOf = async () =>
      (await operatorOf(role.url).types(['doctor'], { now: new Date(), asOf: null })).stdout
        .split('\n')
        .find((line) => line.includes('-> As a database administrator: `psql'))!;
    const unreadable = await hintOf();
    await sql.unsafe(`grant select on "${schema}".reconciliation_migrations to ${role.name}`);
    for (const hint of [unreadable, await hintOf()]) {
      const [, name, quoted] = / -d (\S+) -c ('.*') -f \S+roles\.sql`, and then: `grant /.exec(hint)!;
      const words = await promisify(execFile)('sh', ['-c', `printf '%s|' ${name!} ${quoted!}`]);
      expect(words.stdout).toBe(`${database}|set search_path = "${schema}", public|`);
      expect(hint).not.toContain(role.password);
    }
  });

  testWith(['psql'])(
    'what it gives to copy works as it is, pasted, where the checks read another database',
    async () => {
      const main = await testDatabase();
      const books = await emptyDatabase();
      await books.sql.unsafe(await read('test/support/host.sql'));
      const role = await login(books.sql, books.url);
      await books.sql.unsafe(
        `alter schema public rename to "The app"; alter role ${role.name} set search_path = "The app"; revoke all on schema "The app" from public`,
      );
      const { types } = operatorOf(main.url, { SOURCE_DATABASE_URL: role.url });
      const consult = async (topic: string) => {
        const { stdout } = await types(['doctor', '-o', 'json'], { now: new Date(), asOf: null });
        const { diagnoses } = JSON.parse(stdout) as { diagnoses: { topic: string; verdict: string; next: string }[] };
        return diagnoses.find((diagnosis) => diagnosis.topic === topic)!;
      };
      const { next } = await consult('host'); // tables of a schema that the role may not use look as if they were not there
      await books.sql.unsafe(`grant usage on schema "The app" to ${role.name}`);
      expect(await consult('source')).toMatchObject({ verdict: 'problem', next });
      const [, command, grant] = /: `(psql -d .*roles\.sql)`, .* and then: `(grant recon_reader to \S+;)`$/.exec(next)!;
      const { hostname, port, username, password } = new URL(books.url);
      const administrator = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password };
      const { stderr } = await promisify(execFile)('sh', ['-c', command!], {
        env: { ...process.env, ...administrator },
      });
      expect(stderr.match(/ERROR: +(?!.*reconciliation_).*/g)).toBeNull(); // those tables are not here
      await books.sql.unsafe(grant!);
      expect(await consult('source')).toMatchObject({ verdict: 'ok' });
    },
  );

  test('who purges needs one role more, and only that', async () => {
    const { url, sql } = await lockedDown();
    const purges = async (...groups: string[]) =>
      operatorOf((await login(sql, url, ...groups)).url).types(['purge', '--yes']);
    const runs = await login(sql, url, 'recon_reader', 'recon_writer');
    for (const later of [0, 1, 2])
      await operatorOf(runs.url).runs(['--type', 'hourly'], { now: new Date(longAgo.getTime() + later) });
    await sql`insert into reconciliation_alerts (target, summary, body, state, created_at, delivered_at)
      values ('slack', 'x', '{"text": "x"}', 'delivered', ${longAgo}, ${longAgo})`;
    expect(await purges('recon_writer')).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('permission denied for table reconciliation_') as string,
    });
    expect(await purges('recon_writer', 'recon_purger')).toMatchObject({ exitCode: 0 });
    expect(await sql`select from reconciliation_purges`).toHaveLength(2); // a day of runs, and alerts
  });

  test('nobody reads what a check does not need, rewrites what people did, or touches the ledger', async () => {
    const { url, sql } = await asInstalled();
    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    const mayNot = async (statement: string) => {
      await expect(
        sql.begin(async (transaction) => {
          await transaction.unsafe(`set local role ${role.name}`);
          await transaction.unsafe(statement);
        }),
        statement,
      ).rejects.toMatchObject({ code: '42501' });
    };
    await mayNot('select email from users');
    await mayNot('select destination_address from withdrawals');
    await mayNot('update ledger_accounts set balance = 0');
    await mayNot('delete from reconciliation_reports');
    await mayNot('update reconciliation_exception_events set actor = null');
    await mayNot('delete from reconciliation_findings');
    await mayNot('delete from reconciliation_correction_stops');
    await mayNot("insert into reconciliation_correction_stops (stopped, changed_by) values (false, 'nobody')");
    await sql`revoke create on schema public from public`; // which PostgreSQL 14 gives to everybody
    await mayNot('create table public.mine (id integer)');
  });

  test('nobody becomes the owner of recon’s tables by a table of his own and their triggers', async () => {
    const { url, sql } = await asInstalled();
    const reader = connectTo((await login(sql, url, 'recon_reader')).url);
    await reader.unsafe(`
      create temp table reconciliation_correction_stops (
        stopped boolean, changed_by text, host text, note text, changed_at timestamptz
      );
      create temp table reconciliation_correction_switch (like reconciliation_correction_stops);
      create function pg_temp.as_owner() returns trigger language plpgsql as $$
      begin
        insert into public.reconciliation_correction_stops (stopped, changed_by) values (false, 'forged');
        update public.ledger_accounts set balance = balance + 1;
        return new;
      end
      $$;
      create trigger as_owner before insert on pg_temp.reconciliation_correction_stops
        for each row execute function pg_temp.as_owner();
    `);
    const stored = () => sql`
      select
        (select json_agg(stop) from public.reconciliation_correction_stops as stop) as stops,
        (select json_agg(account) from public.ledger_accounts as account) as accounts`;
    const before = await stored();
    const hang = () => reader`
      create trigger logged before insert on pg_temp.reconciliation_correction_switch
      for each row execute function public.reconciliation_log_switch()`;
    await expect(hang()).rejects.toThrow(/^permission denied for function (public\.)?reconciliation_log_switch$/);
    const others = sql`
      select oid::regprocedure from pg_proc
      where pronamespace = 'public'::regnamespace and prosecdef and has_function_privilege('public', oid, 'execute')`;
    expect(await others, 'run as their owner, whoever calls them').toEqual([]);

    await sql`grant execute on function reconciliation_log_switch() to public`; // as a dump without rights leaves it
    await hang();
    await expect(reader`insert into pg_temp.reconciliation_correction_switch (stopped) values (false)`).rejects.toThrow(
      /^pg_temp_\d+\.reconciliation_correction_switch is not the kill switch of corrections: nothing is written for it$/,
    );
    expect(await stored()).toEqual(before);

    const writer = connectTo((await login(sql, url, 'recon_reader', 'recon_writer')).url);
    await writer`update reconciliation_correction_switch set stopped = true`;
    const [{ user } = { user: '' }] = await writer<{ user: string }[]>`select session_user as user`;
    expect(await sql`select stopped, changed_by, login from reconciliation_correction_stops`).toEqual([
      { stopped: true, changed_by: user, login: user },
    ]);
  });
});

describe('corrections', () => {
  /** A job that lost its link, and a buffer that drifted. */
  async function wrongBooks(books = lockedDown) {
    const at = await books();
    await at.sql`update conversion_jobs set ledger_transaction_id = null`;
    await at.sql`update ledger_accounts set balance = balance + 0.5 where account_type = 'system_buffer_fiat'`;
    return at;
  }
  const asRun = { proposed_by: 'system', decided_by: null, rows_proposed: null };
  const on = (url: string) => ({ CORRECTION_DATABASE_URL: url, RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' });

  test('are made by a role of their own; that of the runs has no right to write into the ledger', async () => {
    const { url, sql, missing } = await wrongBooks();
    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    const hand = await login(sql, url, 'recon_reader', 'recon_writer', 'recon_corrector');
    const { runs, types } = operatorOf(role.url, on(hand.url));
    const { report, exceptions } = await runs();
    expect(report.metadata['corrections']).toMatchObject({ tried: 2, corrected: 2 });
    const { id } = exceptions.find(({ affected_entity: subject }) => subject === missing.subject)!;
    expect(await operatorOf(role.url).types(['corrections', 'propose', id, '--dry-run'])).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('also to propose a correction and for the dry run of one, which write') as string,
    });
    expect(await types(['corrections', 'propose', id])).toMatchObject({ exitCode: 0 });
    const [proposal] = await sql<{ id: string }[]>`select id from reconciliation_corrections where state = 'proposed'`;
    expect(await types(['corrections', 'approve', proposal!.id, '--by', 'Grace', '--yes'])).toMatchObject({
      exitCode: 0,
    });
    for (const row of await sql<{ id: string }[]>`select id from reconciliation_corrections where undoes is null`)
      expect(await types(['corrections', 'undo', row.id, '--note', 'x', '--yes'])).toMatchObject({ exitCode: 0 });
    const doctor = await types(['doctor'], { now: new Date(), asOf: null });
    expect(doctor.stdout).toMatch(/^ok {7}corrections +The role of CORRECTION_DATABASE_URL may write/m);
    for (const line of ['list', 'stop --note x', 'resume --note x', 'switch'])
      expect(await types(['corrections', ...line.split(' ')])).toMatchObject({ exitCode: 0 });
  });

  test('whoever may write the tables of recon cannot approve alone: what a proposal says stands', async () => {
    const { url, sql, missing } = await wrongBooks(asInstalled);
    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    const hand = await login(sql, url, 'recon_reader', 'recon_writer', 'recon_corrector');
    const { runs, types } = operatorOf(role.url, { CORRECTION_DATABASE_URL: hand.url });
    const { exceptions } = await runs();
    const { id } = exceptions.find(({ affected_entity: subject }) => subject === missing.subject)!;
    const shown = async (by: Pick<typeof auditor, 'types'>) => (await by.types(['exceptions', 'show', id])).stdout;
    const auditor = operatorOf((await login(sql, url, 'recon_reader')).url);
    const refusal = /Not as it stands: The role of DATABASE_URL may not write\s+corrections: permission denied/;
    expect(await shown(auditor)).toMatch(refusal);
    expect(await shown(auditor)).not.toContain('corrections propose');
    expect(await shown({ types })).toContain('corrections propose');
    expect(await types(['corrections', 'propose', id, '--by', 'Ada'])).toMatchObject({ exitCode: 0 });
    const writer = connectTo(role.url);
    const stored = () => sql`select * from reconciliation_corrections`;
    const [proposal] = await stored();
    const refused = async (what: string, change: PromiseLike<unknown>, why: RegExp) => {
      await expect(change, what).rejects.toThrow(why);
      expect(await stored(), what).toEqual([proposal]);
    };
    const update = (changes: object) => writer`update reconciliation_corrections set ${writer(changes)}`;
    const approval = { state: 'applied', decided_by: 'Grace', ended_at: cutAt, rows_written: writer.json([{}]) };
    const said = {
      proposed_by: 'Eve',
      proposal_note: 'x',
      action: 'x',
      amount: '1',
      currency: 'USD',
      correction: 'set_balance',
      rows_proposed: writer.json([]),
      created_at: '2020-01-01T00:00:00Z',
      id: randomUUID(),
      exception_id: exceptions.find((other) => other.id !== id)!.id,
      report_id: (await sql<{ id: string }[]>`select id from reconciliation_reports`)[0]!.id,
      undoes: proposal!['id'] as string,
    };
    for (const [column, value] of Object.entries(said))
      for (const also of [{}, approval])
        await refused(column, update({ ...also, [column]: value }), /What a proposal says stands/);
    const others = Object.keys(proposal!).filter((column) => !(column in said) && !(column in approval));
    expect(others.sort()).toEqual(['decision_note', 'reason']); // nothing that is said is left out
    await refused('a word before the end', update({ decided_by: 'Grace' }), /What a proposal says stands/);
    for (const name of ['Ada', ' ADA ', 'A\u200bda', '\uff21da'])
      await refused(name, update({ ...approval, decided_by: name }), /four_eyes/);
    await refused('nobody', update({ ...approval, decided_by: null }), /decided|two_people/);
    await refused('a run', update({ ...approval, decided_by: 'Sy\u00adstem' }), /people_decide/);
    await refused('nothing written', update({ ...approval, rows_written: writer.json([]) }), /written/);
    await refused('written all the same', update({ ...approval, state: 'rejected' }), /written/);
    await refused('deleted', writer`delete from reconciliation_corrections`, /permission denied/);
    await refused('emptied', writer`truncate reconciliation_corrections`, /permission denied/);

    const insert = (changes: object) =>
      writer`insert into reconciliation_corrections ${writer({ ...proposal, ...approval, id: randomUUID(), rows_proposed: writer.json([{}]), ...changes })}`;
    await refused('decided at once', insert({}), /after it was written/);
    await refused('by nobody', insert({ decided_by: null }), /decided|two_people/);
    await refused('like a run', insert({ decided_by: null, proposed_by: 'system' }), /author/);
    await refused('as a run that posts', insert({ ...asRun, report_id: said.report_id }), /two_people/);
    await refused(
      'as a run in disguise',
      insert({ ...asRun, report_id: said.report_id, proposed_by: 'Ada' }),
      /author/,
    );

    expect(await types(['corrections', 'approve', proposal!['id'] as string, '--by', 'Grace', '--yes'])).toMatchObject({
      exitCode: 0,
    });
    await expect(update({ decided_by: 'Eve' })).rejects.toThrow(/append-only/);
  });

  test('a role that may only read: said once, as a configuration error, and the run is unharmed', async () => {
    const { url, sql, missing } = await wrongBooks();
    const hand = await login(sql, url, 'recon_reader', 'recon_writer');
    const env = { ...on(hand.url), LOG_LEVEL: 'warn' };
    const { types } = operatorOf(url, env);
    const { exitCode, stdout, stderr } = await types(['run', '-o', 'json']);
    expect(exitCode).toBe(2);
    const said = stderr.split('\n').filter((line) => line.includes('may not write corrections'));
    expect(said).toHaveLength(1);
    expect(JSON.parse(said[0]!)).toMatchObject({
      level: 'warn',
      event: 'corrections.not_made',
      message: expect.stringContaining('The role of CORRECTION_DATABASE_URL may not write corrections') as string,
    });
    const { report, checks, exceptions } = JSON.parse(stdout) as RunDocument;
    expect(report).toMatchObject({
      status: 'completed',
      metadata: { corrections: { not_made: expect.anything() as string } },
    });
    expect(checks.map(({ status }) => status)).toEqual(Array(4).fill('completed'));
    expect(exceptions).toHaveLength(3);
    expect(await sql`select from reconciliation_corrections`).toHaveLength(0);
    expect((await types(['doctor'], { now: new Date(), asOf: null })).stdout).toMatch(
      /^problem {2}corrections +The role of CORRECTION_DATABASE_URL cannot make corrections: permission denied/m,
    );
    const { id } = exceptions.find(({ affected_entity: subject }) => subject === missing.subject)!;
    expect(await types(['corrections', 'propose', id])).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('The role of CORRECTION_DATABASE_URL may not write corrections') as string,
    });
    expect(await operatorOf(hand.url).types(['corrections', 'propose', id])).toMatchObject({
      exitCode: 78,
      stderr: expect.stringMatching(
        /^recon: The role of DATABASE_URL may not write .*\n.*Name a login of its own in CORRECTION_DATABASE_URL, /,
      ) as string,
    });
  });
});

test('rows that row-level security hides make a check incomplete, never smaller, and a list an error, never shorter', async () => {
  const { url, sql } = await lockedDown();
  const role = await login(sql, url, 'recon_reader', 'recon_writer');
  await sql`alter table deposits enable row level security`;
  await sql`create policy own_rows on deposits using (user_id is null)`;
  const { runs, types } = operatorOf(role.url);
  const { exitCode, checks } = await runs();
  expect(exitCode).toBe(78);
  expect(checks.find(({ check_type: name }) => name === 'deposits')).toMatchObject({
    status: 'failed',
    expected_value: null,
    error_message: expect.stringContaining('Row-level security hides rows from this role') as string,
  });
  const { stdout } = await types(['doctor'], { now: new Date(), asOf: null });
  expect(stdout).toMatch(/^problem {2}source {14}deposits: Row-level security hides rows/m);

  for (const [table, ...line] of [
    ['exceptions', 'exceptions', 'list'],
    ['exceptions', 'exceptions', 'acknowledge', '--kind', 'stuck', '--by', 'ada'],
    ['reports', 'reports', 'list'],
    ['corrections', 'corrections', 'list'],
    ['totals', 'metrics', 'print'],
    ['checks', 'status'],
  ] as const) {
    await sql.unsafe(`alter table reconciliation_${table} enable row level security`);
    expect(await types(line), line.join(' ')).toMatchObject({
      exitCode: 78,
      stderr: expect.stringMatching(
        new RegExp(`^recon: Row-level security at .* hides rows from .*reconciliation_${table}.*\\n.*bypassrls`),
      ) as string,
    });
    await sql.unsafe(`alter table reconciliation_${table} disable row level security`);
  }
});

test('a hostile search_path changes nothing: functions, operators, and tables of others', async () => {
  const { url, sql, missing } = await asInstalled();
  const role = await login(sql, url, 'recon_reader', 'recon_writer');
  await sql.unsafe(`
    create schema evil;
    create function evil.lower(text) returns text language sql immutable as $$ select 'withdrawal' $$;
    create function evil.now() returns timestamptz language sql stable as $$ select '1970-01-01Z'::timestamptz $$;
    create function evil.coalesce_nothing(text) returns text language sql immutable as $$ select null $$;
    create function evil.hashtextextended(text, bigint) returns bigint language sql immutable as $$ select 1::bigint $$;
    create function evil.always(numeric, numeric) returns boolean language sql immutable as $$ select true $$;
    create operator evil.= (leftarg = numeric, rightarg = numeric, function = evil.always);
    create table evil.reconciliation_reports (id integer);
    grant usage on schema evil to public;
    alter role ${role.name} set search_path = evil, public, pg_catalog;
  `);
  await sql.unsafe(`alter table evil.reconciliation_reports owner to ${role.name}`);
  const { runs, types } = operatorOf(role.url, { RECONCILIATION_SCHEMA: 'public' });
  const { checks, exceptions } = await runs(['--type', 'daily', '--fail-on', 'never']);
  expect(checks.map(({ error_message: why }) => why)).toEqual(Array(4).fill(null));
  expect(exceptions.map(({ affected_entity: subject }) => subject)).toEqual([missing.subject]);
  expect((await types(['status'])).stdout).toMatch(/^daily +[0-9a-f]{8} /m);
});

describe('recon migrate --print', () => {
  test('prints what migrate up does; it changes nothing, and needs no right to make tables', async () => {
    const { url, sql } = await emptyDatabase();
    const role = await login(sql, url);
    const { exitCode, stdout } = await recon(['migrate', '--print'], { env: { DATABASE_URL: role.url } });
    expect(exitCode).toBe(0);
    expect(await sql`select from pg_tables where schemaname = 'public'`).toHaveLength(0);

    await byHand(sql, stdout);
    const printed = await listSchema(sql);
    const other = await emptyDatabase();
    await recon(['migrate', 'up'], { env: { DATABASE_URL: other.url } });
    expect(printed).toEqual(await listSchema(other.sql));

    expect((await recon(['migrate', 'up'], { env: { DATABASE_URL: url } })).stdout).toContain('up to date.');
    expect(await recon(['migrate', 'up', '--print'], { env: { DATABASE_URL: url } })).toMatchObject({
      exitCode: 0,
      stdout: '-- The schema "public" is up to date.\n',
    });
  });

  test('into a schema of its own, and on from where somebody stopped; a run then works there', async () => {
    const { url, sql } = await testDatabase();
    const env = { DATABASE_URL: url, RECONCILIATION_SCHEMA: 'recon' };
    const print = async () => (await recon(['migrate', '--print'], { env })).stdout;
    const whole = await print();
    const upToFirst = whole.slice(0, whole.indexOf('-- 0002'));
    await byHand(sql, upToFirst);
    const rest = await print();
    expect(rest).not.toContain('0001_');
    await byHand(sql, rest);
    await byHand(sql, `set search_path = recon, public; ${roles}`);

    const role = await login(sql, url, 'recon_reader', 'recon_writer');
    const { runs } = operatorOf(role.url, { RECONCILIATION_SCHEMA: 'recon' });
    expect(await runs(['--type', 'daily'])).toMatchObject({ exitCode: 0 });
    expect(await sql`select from recon.reconciliation_reports`).toHaveLength(1);
    expect(await sql`select from public.reconciliation_reports`).toHaveLength(0);

    const printDown = async () => (await recon(['migrate', 'down', '--print'], { env })).stdout;
    const away = await printDown();
    expect(await sql`select from recon.reconciliation_reports`).toHaveLength(1);
    await byHand(sql, away);
    expect(await sql`select from pg_namespace where nspname = 'recon'`).toHaveLength(0);
    expect(await printDown()).toBe('-- The schema "recon" has no tables of recon.\n');
    expect(await sql`select from public.reconciliation_reports`).toHaveLength(0); // the other ones are still there
  });
});
