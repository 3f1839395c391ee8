import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { expect, onTestFinished } from 'vitest';
import { query, withDatabase } from '../../src/database/database.ts';
import { migrateUp } from '../../src/migrations/migrations.ts';
import { createDatabase } from '../support/database-server.ts';
import { testWith } from '../support/installed.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { operatorOf } from '../support/world.ts';

/** As in production: the clocks are those of the machine and of the server. */
const today = () => ({ now: new Date(), asOf: null });

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

/** Where Debian has a whole PostgreSQL: pg_dump refuses a server that is newer than itself. */
function newestInstalled(): string {
  const folder = '/usr/lib/postgresql';
  const majors = existsSync(folder) ? readdirSync(folder).sort((one, other) => Number(one) - Number(other)) : [];
  return join(folder, majors.at(-1) ?? '');
}

/** A server with pg_dump and pg_restore, and how to type a command, such as one of deploy/backup.md, on one of its databases. */
async function startWithTools() {
  const native = newestInstalled();
  const server = await startPostgres({ native });
  onTestFinished(() => server.stop());
  const folder = await mkdtemp(join(tmpdir(), 'recon-dumped-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const emptyDatabase = async () => {
    const { url } = await createDatabase(server.url, 'recon_test');
    const sql = postgres(url, { max: 2, onnotice: () => undefined });
    onTestFinished(() => sql.end());
    return { url, sql };
  };
  return {
    emptyDatabase,
    newDatabase: async () => {
      const made = await emptyDatabase();
      await withDatabase(made.url, { connections: 1 }, async (database) => {
        const host = await read('test/support/host.sql');
        await database.begin((transaction) => query(transaction, host));
        await migrateUp(database, undefined);
      });
      return made;
    },
    type: async (line: string, url: string) => {
      const env = { PATH: `${native}/bin:/usr/bin:/bin`, DATABASE_URL: url };
      await promisify(execFile)('sh', ['-c', line], { cwd: folder, env });
    },
  };
}

/** The rows of every table of recon, each as text. */
async function rowsOf(sql: postgres.Sql): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables
    where tablename like 'reconciliation\\_%' and tablename <> 'reconciliation_migrations'`;
  const rows: Record<string, string[]> = {};
  for (const { name } of tables)
    rows[name] = (
      await sql<{ row: string }[]>`select stored::text as row from ${sql(name)} as stored order by stored::text`
    ).map(({ row }) => row);
  return rows;
}

testWith(['pg_dump', 'pg_restore'])(
  'the tables of recon alone come back by the commands of deploy/backup.md, and not without their flags',
  async () => {
    const { newDatabase, type } = await startWithTools();
    const [dump, restore] = (await read('deploy/backup.md')).match(/^pg_(dump|restore) .*$/gm)!;
    const old = await newDatabase();
    const ledger = new LedgerBuilder({ now: new Date() });
    const ada = ledger.user();
    ledger.deposit(ada, '20');
    ledger.deposit(ada, '50', { minutesAgo: 10, post: false });
    await ledger.save(old.sql);
    const { runs, types } = operatorOf(old.url);
    const { exceptions } = await runs(['--type', 'daily'], today());
    expect(await types(['corrections', 'propose', exceptions[0]!.id], today())).toMatchObject({ exitCode: 0 });
    const [proposal] = await old.sql<{ id: string }[]>`select id from reconciliation_corrections`;
    expect(await types(['corrections', 'approve', proposal!.id, '--by', 'Grace', '--yes'], today())).toMatchObject({
      exitCode: 0,
    });
    await type(dump, old.url);

    const restored = await newDatabase();
    await type(restore!, restored.url);
    expect(await rowsOf(restored.sql)).toEqual(await rowsOf(old.sql));
    await expect(restored.sql`update reconciliation_exception_events set actor = null`).rejects.toThrow('append-only');
    const { stdout } = await operatorOf(restored.url).types(['exceptions', 'show', exceptions[0]!.id], today());
    expect(stdout).toMatch(/corrected +Grace/);

    const careless = await newDatabase();
    await expect(type(restore!.replace(' --disable-triggers', ''), careless.url)).rejects.toThrow('COPY failed');
    expect(await careless.sql`select from reconciliation_reports`).toEqual([]);
  },
  120_000,
);

testWith(['pg_dump', 'psql'])(
  'a dump of the whole database brings the kill switch back as it stood, with its history, and without rights too',
  async () => {
    const { newDatabase, emptyDatabase, type } = await startWithTools();
    const old = await newDatabase();
    await old.sql`update reconciliation_correction_switch set stopped = true, note = 'drill'`;
    for (const flags of ['', '--no-privileges --no-owner']) {
      const restored = await emptyDatabase();
      await type(`pg_dump ${flags} --file=whole.sql "$DATABASE_URL"`, old.url);
      await type('psql -qX -v ON_ERROR_STOP=1 -f whole.sql "$DATABASE_URL"', restored.url);
      expect(await rowsOf(restored.sql)).toEqual(await rowsOf(old.sql));
      await restored.sql`update reconciliation_correction_switch set stopped = false`;
      expect(
        await restored.sql`select stopped, note from reconciliation_correction_stops order by number`,
        flags,
      ).toEqual([
        { stopped: true, note: 'drill' },
        { stopped: false, note: null },
      ]);
    }
  },
  120_000,
);
