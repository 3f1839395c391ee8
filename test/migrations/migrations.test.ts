import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { assertMigrated } from '../../src/migrations/assert-migrated.ts';
import { readMigrations } from '../../src/migrations/files.ts';
import { columnsAfter } from '../../src/migrations/gone.ts';
import { migrateDown, migrateUp, migrationStatus, planDown } from '../../src/migrations/migrations.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { emptyDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { listSchema } from '../support/schema-listing.ts';

const folder = new URL('../../sql/migrations/', import.meta.url);

const names = [
  '0001_reports_checks_exceptions',
  '0002_findings_and_events',
  '0003_watermarks',
  '0004_exception_life',
  '0005_totals_and_alerts',
  '0006_told_and_switched_off',
  '0007_history',
  '0008_corrections',
  '0009_four_eyes',
  '0010_told_since',
  '0011_purges',
  '0012_correction_stops',
  '0013_switch_of_its_own',
];

/** A database without a table, as a test looks at it (`sql`) and as the program does (`database`). */
async function fresh() {
  const { url, sql } = await emptyDatabase();
  return { url, sql, database: open(url) };
}

function open(url: string, lockTimeoutMs?: number): Database {
  const database = openDatabase(url, { connections: 2, ...(lockTimeoutMs !== undefined && { lockTimeoutMs }) });
  onTestFinished(() => database.end({ timeout: 1 }));
  return database;
}

async function failure(promise: Promise<unknown>): Promise<OperatorError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OperatorError)) throw new Error('Expected an OperatorError.', { cause: error });
  return error;
}

describe('the files', () => {
  test('are numbered without a gap, each with its way back', async () => {
    const files = (await readdir(folder)).sort();
    const stems = files.filter((file) => file.endsWith('.up.sql')).map((file) => file.replace('.up.sql', ''));
    expect(files).toEqual(stems.flatMap((stem) => [`${stem}.down.sql`, `${stem}.up.sql`]));
    const numbers = stems.map((stem) => Number.parseInt(stem, 10));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(stems).toEqual(names);
  });
});

describe('up and down', () => {
  test('leave nothing', async () => {
    const { sql, database } = await fresh();
    await sql`create table bystander (id uuid primary key)`;
    const before = await listSchema(sql);

    expect(await migrateUp(database, undefined)).toEqual({ schema: 'public', applied: names, dropped: [] });
    expect((await listSchema(sql)).length).toBeGreaterThan(before.length + 60);

    expect(await migrateDown(database, undefined)).toEqual({ schema: 'public', reverted: [...names].reverse() });
    expect(await listSchema(sql)).toEqual(before);
  });

  test('each takes back what it did, and nothing else', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const later = (await readMigrations()).slice(1);
    const backwards = [...later].reverse();
    for (const { down } of backwards) await sql.unsafe(down);
    const before = new Map<string, string[]>();
    for (const { name, up } of later) {
      before.set(name, await listSchema(sql));
      await sql.unsafe(up);
    }
    for (const { name, down } of backwards) {
      await sql.unsafe(down);
      expect(await listSchema(sql), name).toEqual(before.get(name));
    }
  });

  test('may be repeated', async () => {
    const { sql, database } = await fresh();
    expect((await migrateDown(database, undefined)).reverted).toEqual([]);
    await migrateUp(database, undefined);
    const once = await listSchema(sql);

    expect((await migrateUp(database, undefined)).applied).toEqual([]);
    expect(await listSchema(sql)).toEqual(once);

    await migrateDown(database, undefined);
    expect((await migrateUp(database, undefined)).applied).toEqual(names);
    expect(await listSchema(sql)).toEqual(once);
  });

  test('share the work when two run at once', async () => {
    const { url, sql } = await emptyDatabase();
    const results = await Promise.all([0, 1, 2, 3].map(() => migrateUp(open(url), undefined)));
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(names);
    expect(await sql`select count(*) from reconciliation_migrations`).toEqual([{ count: String(names.length) }]);
  });

  test('do not wait for ever for another one', async () => {
    const { url, sql, database } = await fresh();
    await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(hashtextextended('recon migrate public', 0))`;
      const error = await failure(migrateUp(open(url, 50), undefined));
      expect(error.exitCode).toBe(4);
      expect(error.message).toMatch(/^The lock "recon migrate public" is held by session \d+ of the role /);
    });
    expect((await migrateUp(database, undefined)).applied).toEqual(names);
  });

  test('do not wait for ever for a table that is in use', async () => {
    const { url, sql, database } = await fresh();
    await migrateUp(database, undefined);
    await sql.begin(async (other) => {
      await other`lock table reconciliation_correction_switch`;
      const error = await failure(migrateDown(open(url, 50), undefined));
      expect(error.exitCode).toBe(4);
      expect(error.message).toContain('sql/migrations/0013_switch_of_its_own.down.sql');
    });
    expect(await assertMigrated(database, undefined)).toBe('public');
  });
});

describe('status', () => {
  test('tells what is pending before and what is applied after', async () => {
    const { database, sql } = await fresh();
    const before = await migrationStatus(database, undefined);
    expect(before).toEqual({
      schema: 'public',
      migrations: names.map((name) => ({ name, appliedAt: null, appliedBy: null })),
      gone: [],
    });

    await migrateUp(database, undefined);
    const [row] = await sql<{ role: string }[]>`select current_user as role`;
    for (const migration of (await migrationStatus(database, undefined)).migrations) {
      expect(migration.appliedAt).toMatch(/^20\d\d-\d\d-\d\dT.*Z$/);
      expect(migration.appliedBy).toBe(row?.role);
    }
  });

  test('a run is refused until everything is applied', async () => {
    const { sql, database } = await fresh();
    const never = await failure(assertMigrated(database, undefined));
    expect([never.exitCode, never.message]).toEqual([78, 'The schema public has no tables of recon yet.']);
    expect(never.hint).toMatch(/^Run `recon migrate up`, or give a database administrator/);

    await migrateUp(database, undefined);
    expect(await assertMigrated(database, undefined)).toBe('public');
    const mistyped = await failure(assertMigrated(database, 'pubic'));
    expect(mistyped.message).toBe('The schema pubic has no tables of recon; the schema public has.');
    expect(mistyped.hint).toMatch(/^If those are meant: RECONCILIATION_SCHEMA=public\. If not: Run `recon migrate up`/);

    await sql`delete from reconciliation_migrations where version = 2`;
    const partly = await failure(assertMigrated(database, undefined));
    expect(partly.message).toContain('lacks 0002_findings_and_events');
  });

  test('an edited file is named', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await sql`update reconciliation_migrations set sha256 = 'other' where version = 1`;
    for (const attempt of [migrateUp, migrateDown, migrationStatus, assertMigrated, planDown]) {
      const error = await failure(attempt(database, undefined));
      expect(error.exitCode).toBe(78);
      expect(error.message).toContain('sql/migrations/0001_reports_checks_exceptions.up.sql was edited');
    }
  });

  test('a database that is newer than this recon is left alone', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await sql`insert into reconciliation_migrations (version, name, sha256) values (99, '0099_later', 'x')`;
    for (const attempt of [migrateUp, migrateDown, assertMigrated]) {
      const error = await failure(attempt(database, undefined));
      expect([error.exitCode, error.message]).toEqual([
        78,
        'The database is newer than this recon: it has the migration 0099_later.',
      ]);
    }
  });

  test('a history of somebody else is not taken for ours', async () => {
    const { sql, database } = await fresh();
    await sql`create table reconciliation_migrations (id serial, filename text)`;
    const error = await failure(migrateUp(database, undefined));
    expect([error.exitCode, error.message]).toEqual([78, 'The table reconciliation_migrations was not made by recon.']);
  });
});

describe('another schema', () => {
  test('is made, used, and dropped again', async () => {
    const { sql, database } = await fresh();
    expect((await migrateUp(database, 'Books "2"')).applied).toEqual(names);
    expect(await listSchema(sql)).toEqual([]);
    expect(await assertMigrated(database, 'Books "2"')).toBe('Books "2"');
    expect((await failure(assertMigrated(database, undefined))).exitCode).toBe(78);

    await migrateDown(database, 'Books "2"');
    expect(await sql`select from pg_namespace where nspname = 'Books "2"'`).toHaveLength(0);
  });

  test('holds the same as the default one, and both may be there', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await migrateUp(database, 'books');
    expect(await listSchema(sql, 'books')).toEqual(await listSchema(sql));
  });

  test('stays if somebody else made it, or keeps something in it', async () => {
    const { sql, database } = await fresh();
    await sql`create schema theirs`;
    await migrateUp(database, 'theirs');
    await migrateDown(database, 'theirs');
    await migrateUp(database, 'ours');
    await sql`create table ours.guest (id int)`;
    await migrateDown(database, 'ours');
    expect(await sql`select nspname from pg_namespace where nspname in ('ours', 'theirs') order by 1`).toEqual([
      { nspname: 'ours' },
      { nspname: 'theirs' },
    ]);
    expect(await listSchema(sql, 'ours')).toEqual(['column guest.id integer', 'r guest']);
  });

  test('a default schema is needed', async () => {
    const { sql, database } = await fresh();
    await sql`drop schema public`;
    const error = await failure(migrateUp(database, undefined));
    expect([error.exitCode, error.hint]).toEqual([78, 'Set RECONCILIATION_SCHEMA.']);
  });

  test('a schema that is not there cannot be taken down', async () => {
    const { database } = await fresh();
    expect((await failure(migrateDown(database, 'typo'))).message).toBe('The database has no schema typo.');
  });

  test('a role that may not make it gets the reason', async () => {
    const { url, sql } = await fresh();
    const guest = await login(sql, url);
    const error = await failure(migrateUp(open(guest.url), 'forbidden'));
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain('create schema forbidden: permission denied');
  });
});

describe('the tables', () => {
  test('events are append-only', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const exception = await anException(sql);
    await sql`
      insert into reconciliation_exception_events (exception_id, event, actor) values (${exception}, 'created', 'system')`;

    for (const change of [
      sql`update reconciliation_exception_events set actor = 'nobody'`,
      sql`delete from reconciliation_exception_events`,
      sql`truncate reconciliation_exception_events`,
      sql`truncate reconciliation_exceptions cascade`,
    ]) {
      await expect(change).rejects.toThrow('reconciliation_exception_events is append-only');
    }
    expect(await sql`select actor from reconciliation_exception_events`).toEqual([{ actor: 'system' }]);
  });

  test('what nobody told of before 0010 is no news after it', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await sql.unsafe(await readFile(new URL('0010_told_since.down.sql', folder), 'utf8'));
    const exception = await anException(sql);
    const happen = (...events: string[]) => sql`
      insert into reconciliation_exception_events (exception_id, event, actor)
      select ${exception}, happened.event, 'system' from unnest(${events}::text[]) as happened (event)`;
    await happen('created', 'became');
    await sql`insert into reconciliation_told (target, through) values ('slack', 1)`;
    const again = async () => {
      await sql.unsafe(await readFile(new URL('0010_told_since.up.sql', folder), 'utf8'));
      const [told] = await sql`select through::integer, since::integer from reconciliation_told`;
      await sql.unsafe(await readFile(new URL('0010_told_since.down.sql', folder), 'utf8'));
      return told;
    };
    expect(await again()).toEqual({ through: 2, since: 0 });
    await happen('noted', 'cleared', 'became');
    expect(await again()).toEqual({ through: 3, since: 0 });
  });

  test('each change of the kill switch is on record, whoever made it; what was before 0012 stays', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const since = (await readMigrations()).filter(({ version }) => version >= 12);
    const set = (values: string) => sql.unsafe(`update reconciliation_correction_switch set ${values}`);
    const first = `stopped = true, changed_by = 'op', note = 'drill', changed_at = '2026-11-01 12:00Z'`;
    const standing = () => sql`select stopped, changed_by, note from reconciliation_correction_switch`;
    const kept = () => sql`select stopped, changed_by, note from reconciliation_correction_stops order by number`;
    const down = async () => {
      for (const migration of [...since].reverse()) await sql.unsafe(migration.down);
    };
    const up = async () => {
      for (const migration of since) await sql.unsafe(migration.up);
    };
    await down();
    await set(first);
    await up();
    const drill = { stopped: true, changed_by: 'op', note: 'drill' };
    expect(await kept()).toEqual([drill]);

    await set(`stopped = true, changed_by = 'Zoe', note = 'second', changed_at = '2026-11-01 13:00Z'`);
    expect(await standing(), 'who stopped them first').toEqual([drill]);
    await set('stopped = false'); // by hand, as the README says
    await sql`delete from reconciliation_correction_switch`;
    await sql`insert into reconciliation_correction_switch default values`;
    const byHand = { stopped: false, changed_by: 'postgres', note: null };
    const deleted = { stopped: true, changed_by: 'postgres', note: 'the row of the switch was deleted' };
    const all = [drill, { stopped: true, changed_by: 'Zoe', note: 'second' }, byHand, deleted, byHand];
    expect(await kept()).toEqual(all);
    expect(await sql`select from reconciliation_correction_stops where changed_at is null`).toEqual([]);
    expect(
      await sql`select changed_by from reconciliation_correction_stops where login is distinct from session_user`,
    ).toEqual([{ changed_by: 'op' }]);
    for (const change of [
      sql`update reconciliation_correction_stops set note = 'x'`,
      sql`delete from reconciliation_correction_stops`,
      sql`truncate reconciliation_correction_stops`,
    ])
      await expect(change).rejects.toThrow('reconciliation_correction_stops is append-only');
    const emptied = sql`truncate reconciliation_correction_switch`;
    await expect(emptied).rejects.toThrow('A truncate would stop all corrections without a line in their history');
    await down();
    expect(await standing()).toEqual([byHand]);
  });

  test('the kill switch finds its history in a schema that was renamed, and says where it cannot', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await sql`alter schema public rename to renamed`;
    await sql`update renamed.reconciliation_correction_switch set stopped = true`;
    expect(await sql`select from renamed.reconciliation_correction_stops`).toHaveLength(1);
    await sql`create schema public`;
    await sql`alter table renamed.reconciliation_correction_switch set schema public`;
    await expect(sql`update reconciliation_correction_switch set stopped = false`).rejects.toMatchObject({
      message:
        'public.reconciliation_correction_switch is not the kill switch of corrections: nothing is written for it',
      hint: expect.stringContaining('in the schema of the function reconciliation_log_switch()') as string,
    });
  });

  test('a report cannot go while an exception names it', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    await anException(sql);
    await expect(sql`delete from reconciliation_reports`).rejects.toThrow(/violates .*foreign key constraint/);
    await expect(sql`delete from reconciliation_checks`).rejects.toThrow(/violates .*foreign key constraint/);
  });

  test('one subject has at most one unresolved exception', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const first = await anException(sql);
    await expect(anException(sql)).rejects.toThrow('reconciliation_exceptions_one_unresolved');
    await sql`update reconciliation_exceptions set resolved_at = now(), resolved_by = 'ada' where id = ${first}`;
    expect(await anException(sql)).not.toBe(first);
  });

  test('are those that the files are read for: no other table, no other column', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const made = await sql<{ column: string }[]>`
      select table_name || '.' || column_name as column from information_schema.columns
      where table_schema = 'public' and table_name <> 'reconciliation_migrations'`;
    const read = [...columnsAfter(await readMigrations())].flatMap(([table, columns]) =>
      [...columns].map((column) => `${table}.${column}`),
    );
    expect(read.sort()).toEqual(made.map(({ column }) => column).sort());
  });

  test('every foreign key has an index', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const without = await sql`
      select r.conname from pg_constraint r
      where r.contype = 'f' and r.connamespace = 'public'::regnamespace and not exists (
        select from pg_index i where i.indrelid = r.conrelid and i.indkey[0] = r.conkey[1]
      )`;
    expect(without.map(({ conname }) => String(conname))).toEqual([]);
  });

  test('money is unconstrained, and a value that does not exist is null', async () => {
    const { sql, database } = await fresh();
    await migrateUp(database, undefined);
    const id = await anException(sql);
    await sql`
      update reconciliation_exceptions
      set expected_value = null, actual_value = 'NaN', difference = '-123456789012345678901234567890.123456789012345678901'
      where id = ${id}`;
    expect(await sql`select expected_value, actual_value, difference from reconciliation_exceptions`).toEqual([
      {
        expected_value: null,
        actual_value: 'NaN',
        difference: '-123456789012345678901234567890.123456789012345678901',
      },
    ]);
  });
});

/** The smallest exception with its check and report; the same subject every time. */
async function anException(sql: Awaited<ReturnType<typeof emptyDatabase>>['sql']): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    with report as (
      insert into reconciliation_reports (run_type, status) values ('manual', 'completed') returning id
    ),
    "check" as (
      insert into reconciliation_checks (report_id, check_type, status, passed)
      select id, 'deposits', 'failed', false from report
      returning id, report_id
    )
    insert into reconciliation_exceptions (
      report_id, check_id, check_type, severity, description, kind, fingerprint, last_report_id
    )
    select report_id, id, 'deposits', 'high', 'one', 'amount_mismatch', 'deposits/amount_mismatch/deposit:1', report_id
    from "check"
    returning id`;
  return row?.id ?? '';
}
