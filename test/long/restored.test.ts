import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { query, withDatabase } from '../../src/database/database.ts';
import { migrateUp } from '../../src/migrations/migrations.ts';
import { testDatabase } from '../support/database.ts';
import { createDatabase, dropDatabase } from '../support/database-server.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { slowly, sourceFolder } from '../support/source-folder.ts';
import { operatorOf, reconIn, testWorld, withoutCustodians, type RunDocument } from '../support/world.ts';

/** As in production: the clocks are those of the machine and of the server. */
const today = () => ({ now: new Date(), asOf: null });

const everything = {
  coverage: 'everything',
  why_everything: 'the database was restored to an earlier moment, or another took its place',
};

function coverageOf({ checks }: RunDocument) {
  return checks.map(({ metadata: { coverage, why_everything } }) => ({ coverage, why_everything }));
}

/** Closed when the test is over. */
function connect(url: string): postgres.Sql {
  const sql = postgres(url, { max: 3, onnotice: () => undefined });
  onTestFinished(() => sql.end());
  return sql;
}

/** A server that archives its log, and beside it a copy of its data from before it did anything. */
async function startArchiving() {
  const folder = await mkdtemp('/tmp/recon-restored-');
  onTestFinished(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755); // the server’s user is another than root
  const [data, backup, archive] = [join(folder, 'main/data'), join(folder, 'backup/data'), join(folder, 'archive')];
  await (await startPostgres({ dataFolder: data })).stop();
  await Promise.all([dirname(backup), archive].map((path) => mkdir(path)));
  await chmod(archive, 0o777);
  await promisify(execFile)('cp', ['-Rp', data, backup]);
  const settings = { archive_mode: 'on', archive_command: `cp %p ${archive}/%f` };
  const server = await startPostgres({ dataFolder: data, settings });
  onTestFinished(() => server.stop());
  return {
    server,
    /** The backup, recovered up to that restore point; what the first server has done since is gone. */
    recoverTo: async (point: string) => {
      await server.stop(); // which archives the rest of its log
      await writeFile(join(backup, 'recovery.signal'), '');
      const recovered = await startPostgres({
        dataFolder: backup,
        settings: {
          restore_command: `cp ${archive}/%f %p`,
          recovery_target_name: point,
          recovery_target_action: 'promote',
        },
      });
      onTestFinished(() => recovered.stop());
      const sql = connect(recovered.url);
      const recovering = async () => (await sql`select pg_is_in_recovery() as still`)[0]!['still'] as boolean;
      await expect.poll(recovering, { timeout: 30_000 }).toBe(false);
      return { url: recovered.url, sql };
    },
  };
}

test('after a recovery to a moment hourly runs look at everything once', { timeout: 120_000 }, async () => {
  const { server, recoverTo } = await startArchiving();
  const sql = connect(server.url);
  await withDatabase(server.url, { connections: 1 }, async (database) => {
    const host = await readFile(new URL('../support/host.sql', import.meta.url), 'utf8');
    await database.begin((transaction) => query(transaction, host));
    await migrateUp(database, undefined);
  });
  const ledger = new LedgerBuilder({ now: new Date() });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  // one recon keeps its tables with the ledger, the other in a database that nobody restores
  const beside = operatorOf(server.url);
  const { url: apart } = await testDatabase();
  const reading = (source: string) => operatorOf(apart, { SOURCE_DATABASE_URL: source });
  for (const { runs } of [beside, reading(server.url)])
    expect(await runs(['--type', 'daily'], today())).toMatchObject({ exitCode: 0 });

  // the moment of the backup: a run is under way
  const env = {
    DATABASE_URL: server.url,
    RECONCILIATION_CHECKS: withoutCustodians,
    RECONCILIATION_SOURCE: await sourceFolder({ deposits: slowly }),
  };
  const world = testWorld({ ...today(), env });
  const running = reconIn(world, ['run']);
  const underWay = () => sql`select from reconciliation_reports where status = 'in_progress'`;
  await expect.poll(underWay, { timeout: 30_000 }).toHaveLength(1);
  await sql`select pg_create_restore_point('before')`;
  world.interrupt('SIGTERM');
  expect(await running).toMatchObject({ exitCode: 143 });

  const lost = ledger.deposit(ada, '50', { minutesAgo: 10, post: false });
  await ledger.save(sql);
  for (const { runs } of [beside, reading(server.url)])
    expect((await runs(['--type', 'hourly'], today())).exceptions.map((one) => one.affected_entity)).toEqual([
      lost.subject,
    ]);

  const recovered = await recoverTo('before');
  for (const { runs, types } of [operatorOf(recovered.url), reading(recovered.url)]) {
    expect((await types(['doctor'], today())).stdout).toMatch(/^No problems/m);
    const first = await runs(['--type', 'hourly'], today());
    expect([first.exitCode, ...coverageOf(first)]).toEqual([0, ...Array<unknown>(4).fill(everything)]);
    expect(coverageOf(await runs(['--type', 'hourly'], today()))[0]).toEqual({ coverage: 'changes' });
  }
  expect(await recovered.sql`select error_message from reconciliation_reports where status <> 'completed'`).toEqual([
    { error_message: expect.stringContaining('interrupted') as string },
  ]);
  const { stdout } = await reading(recovered.url).types(
    ['exceptions', 'list', '--status', 'all', '-o', 'json'],
    today(),
  );
  expect(JSON.parse(stdout)).toMatchObject({ exceptions: [{ affected_entity: lost.subject, resolved_by: 'system' }] });
});

test('after a dump was loaded into a new database hourly runs look at everything once', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date() });
  ledger.deposit(ledger.user(), '20');
  await ledger.save(sql);
  expect(await operatorOf(url).runs(['--type', 'daily'], today())).toMatchObject({ exitCode: 0 });
  await sql.end(); // nobody may be connected to what is copied
  const server = new URL(url);
  server.pathname = '/postgres';
  const copy = await createDatabase(server.href, 'recon_test', new URL(url).pathname.slice(1));
  onTestFinished(() => dropDatabase(server.href, copy.name));
  const { runs } = operatorOf(copy.url);
  expect(coverageOf(await runs(['--type', 'hourly'], today()))).toEqual(Array<unknown>(4).fill(everything));
});
