import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { query, withDatabase } from '../../src/database/database.ts';
import { migrateUp } from '../../src/migrations/migrations.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startReplicated } from '../support/replica.ts';
import { login } from '../support/login.ts';
import { operatorOf } from '../support/world.ts';

const { primary, replica, stop } = await startReplicated();
const sql = postgres(primary.url, { max: 2, onnotice: () => undefined });
const onReplica = postgres(replica.url, { max: 2, onnotice: () => undefined });
const ledger = new LedgerBuilder({ now: new Date() });
const ada = ledger.user();

beforeAll(async () => {
  await withDatabase(primary.url, { connections: 1 }, async (database) => {
    const host = await readFile(new URL('../support/host.sql', import.meta.url), 'utf8');
    await database.begin((transaction) => query(transaction, host));
    await migrateUp(database, undefined);
  });
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  return async () => {
    await Promise.all([sql.end(), onReplica.end()]);
    await stop();
  };
});

const { runs, types } = operatorOf(primary.url, { SOURCE_DATABASE_URL: replica.url });
/** As in production: the clocks are those of the machine and of the server. */
const today = { now: new Date(), asOf: null };

/** Keeps the replica where it is, until the test is over or `goOn` is called. */
async function pauseReplay(): Promise<{ goOn: () => Promise<unknown> }> {
  await onReplica`select pg_wal_replay_pause()`;
  const goOn = async () => {
    if ((await onReplica`select pg_is_wal_replay_paused() as paused`)[0]!['paused'] === true)
      await onReplica`select pg_wal_replay_resume()`;
  };
  onTestFinished(goOn);
  return { goOn };
}

describe('with the checks on a streaming replica', { timeout: 120_000 }, () => {
  test('daily and hourly runs find what there is, read it there, and store it on the main database', async () => {
    expect(await runs(['--type', 'daily'], today)).toMatchObject({ exitCode: 0, exceptions: [] });
    const { subject } = ledger.deposit(ada, '50', { minutesAgo: 10, post: false });
    await ledger.save(sql);
    const { exceptions, checks } = await runs(['--type', 'hourly'], today);
    expect(exceptions.map(({ affected_entity: entity }) => entity)).toEqual([subject]);
    expect(checks.map(({ error_message: why }) => why)).toEqual(Array(4).fill(null));
    expect((await types(['exceptions', 'show', exceptions[0]!.id])).stdout).toContain('settled at');
    expect(await sql`select from reconciliation_reports`).toHaveLength(2);
  });

  test('a run waits until the replica has what the main database had', async () => {
    const { goOn } = await pauseReplay();
    const { subject } = ledger.deposit(ada, '7', { post: false });
    await ledger.save(sql);
    const running = runs(['--type', 'daily'], today);
    const changes = new Set<string>();
    const asked = async () => {
      const sessions = await onReplica<{ at: string }[]>`
        select state_change::text as at from pg_stat_activity where application_name = 'recon'`;
      for (const { at } of sessions) changes.add(at);
      return changes.size;
    };
    await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(4); // it asks again and again
    await goOn();
    const { exceptions, checks } = await running;
    expect(checks.map(({ error_message: why }) => why)).toEqual(Array(4).fill(null));
    expect(exceptions.map(({ affected_entity: entity }) => entity)).toContain(subject);
  });

  test('one that lags for too long makes the checks incomplete, and the lag is named', async () => {
    await pauseReplay();
    ledger.deposit(ada, '9');
    await ledger.save(sql);
    const { exitCode, checks } = await runs(['--type', 'daily'], {
      ...today,
      env: { RECONCILIATION_RUN_TIMEOUT: '2s' },
    });
    expect(exitCode).toBe(3);
    for (const { error_message: why } of checks)
      expect(why).toMatch(
        /^The replica of SOURCE_DATABASE_URL lags: \d+ (bytes|kB) of what the main database has written/,
      );
  });

  test('doctor says how it is', async () => {
    expect((await types(['doctor'], today)).stdout).toMatch(/^ok {7}replica .*has replayed all/m);
    const wrong = new URL(replica.url);
    wrong.password = 'no-such-password';
    const { stdout, exitCode } = await types(['doctor'], { ...today, env: { SOURCE_DATABASE_URL: wrong.href } });
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining('Check user and password in SOURCE_DATABASE_URL.')]);
  });

  test('what the role may not read there, doctor gives to be granted on the main database', async () => {
    const role = await login(sql, replica.url);
    await expect.poll(() => onReplica`select from pg_roles where rolname = ${role.name}`).toHaveLength(1);
    const env = { SOURCE_DATABASE_URL: role.url, RECONCILIATION_CHECKS: 'deposits' };
    expect((await types(['doctor'], { ...today, env })).stdout).toMatch(
      new RegExp(
        `-> As a database administrator, on the main database of this replica: \`psql -v ON_ERROR_STOP=1 -d \\w+ -f \\S+\`, and then: \`grant recon_reader to ${role.name};\``,
      ),
    );
  });

  test('as the main database it is refused', async () => {
    const env = { DATABASE_URL: replica.url };
    expect((await types(['doctor'], { ...today, env })).stdout).toMatch(
      /^problem {2}database .*a replica, where nobody/m,
    );
    expect(await types(['run'], { ...today, env })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/Nobody may write at .*\n.*let DATABASE_URL name the main database/) as string,
    });
    await sql`insert into reconciliation_reports (run_type, status) values ('manual', 'in_progress')`;
    const newest = async () => (await types(['reports', 'list', '-L', '1'], { ...today, env })).stdout;
    await expect
      .poll(newest, { message: 'who holds a lock there cannot be told', timeout: 10_000 })
      .toMatch(/ manual +running /);
    await sql`delete from reconciliation_reports where status = 'in_progress'`;
  });

  test('a transaction that is open on the main database holds back what is verified', async () => {
    const open = await sql.reserve();
    await open`begin`;
    await open`select pg_current_xact_id()`;
    const anHourOn = new Date(Date.now() + 3_600_000);
    const { checks } = await runs(['--type', 'hourly'], { now: anHourOn, asOf: anHourOn });
    await open`rollback`;
    open.release();
    expect(JSON.stringify(checks[0]!.metadata)).toContain('a transaction is open since');
  });
});

test('a replica of another server, and a wrong password, are refused by name', { timeout: 120_000 }, async () => {
  const other = operatorOf(inject('serverUrl'), { SOURCE_DATABASE_URL: replica.url });
  const { exitCode, stdout } = await other.types(['run', '--dry-run'], today);
  expect(exitCode).toBe(78);
  expect(stdout).toContain('SOURCE_DATABASE_URL names a replica of another server');
  const wrong = new URL(replica.url);
  wrong.password = 'no-such-password';
  const refused = await runs(['--type', 'daily'], { ...today, env: { SOURCE_DATABASE_URL: wrong.href } });
  expect(refused.exitCode).toBe(77);
  expect(refused.checks[0]!['error_message']).toContain('Check user and password in SOURCE_DATABASE_URL.');
});
