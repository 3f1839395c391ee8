import { readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../src/database/database.ts';
import { migrateDown, migrateUp, planDown } from '../src/migrations/migrations.ts';
import { OperatorError } from '../src/operator-error.ts';
import { emptyDatabase } from './support/database.ts';
import { listSchema } from './support/schema-listing.ts';

const firstVersion = await readFile(new URL('./support/first-version.sql', import.meta.url), 'utf8');

/** A database in which the statements of `sqlText` have run. */
async function databaseWith(sqlText: string) {
  const { url, sql } = await emptyDatabase();
  await sql.unsafe(sqlText);
  const database = openDatabase(url, { connections: 1 });
  onTestFinished(() => database.end({ timeout: 1 }));
  return { sql, database };
}

type Sql = Awaited<ReturnType<typeof databaseWith>>['sql'];

/** Every row of the three tables as text; a column that is not in the first version is left out. */
async function dataOf(sql: Sql): Promise<unknown> {
  const life = [
    ...['kind', 'fingerprint', 'last_report_id', 'last_seen_at', 'occurrences', 'previous_exception_id'],
    ...['acknowledged_at', 'acknowledged_by', 'assignee', 'snoozed_until', 'accepted_until'],
  ];
  const rows = await sql`
    select 'report' as of, to_jsonb(r)::text as row from reconciliation_reports r
    union all select 'check', to_jsonb(c)::text from reconciliation_checks c
    union all select 'exception', (to_jsonb(e) - ${life}::text[])::text from reconciliation_exceptions e
    order by 1, 2`;
  return [...rows];
}

describe('the first version of the three tables', () => {
  test('is adopted with every value', async () => {
    const { sql, database } = await databaseWith(firstVersion);
    await migrateUp(database, undefined);

    expect([
      ...(await sql`
        select run_type, status, started_at::text, failed_checks, exceptions_count, metadata, created_at::text
        from reconciliation_reports`),
    ]).toEqual([
      {
        run_type: 'hourly',
        status: 'completed',
        started_at: '2026-01-02 03:04:05.123456+00', // was without a time zone: UTC
        failed_checks: 0,
        exceptions_count: 0,
        metadata: {}, // was null
        created_at: '2026-01-02 03:04:05.654321+00',
      },
    ]);
    expect([
      ...(await sql`select check_type, expected_value, actual_value, difference, passed from reconciliation_checks`),
    ]).toEqual([
      {
        check_type: 'circle_balance',
        expected_value: '123456789012345678.123456789012345678',
        actual_value: '0.000000000000000001',
        difference: '-123456789012345678.123456789012345677',
        passed: false,
      },
    ]);
    expect([
      ...(await sql`
        select description, severity, expected_value, actual_value, difference, ticket, resolved_by, created_at::text
        from reconciliation_exceptions order by created_at limit 1`),
    ]).toEqual([
      {
        description: 'first',
        severity: 'critical',
        expected_value: '123456789012345678.123456789012345678',
        actual_value: '0.000000000000000001',
        difference: '-1.500000000000000000',
        ticket: null, // the host's trigger did not fire
        resolved_by: null,
        created_at: '2026-01-02 03:04:07+00',
      },
    ]);
  });

  test('keeps what needs no change byte for byte, and gives each exception a life', async () => {
    const { sql, database } = await databaseWith(firstVersion);
    await sql`alter table reconciliation_reports alter started_at type timestamptz, alter metadata set not null`.catch(
      () => sql`update reconciliation_reports set metadata = '{}'`,
    );
    await sql`alter table reconciliation_reports alter started_at type timestamptz using started_at at time zone 'UTC'`;
    const before = await dataOf(sql);
    await migrateUp(database, undefined);

    expect(await dataOf(sql)).toEqual(before);
    const lives = await sql`
      select kind, fingerprint, last_report_id, last_seen_at = created_at as seen_when_created, occurrences
      from reconciliation_exceptions order by created_at`;
    expect([...lives]).toEqual(
      [1, 2, 3].map((number) => ({
        kind: 'unclassified',
        fingerprint: `circle_balance/legacy/30000000-0000-4000-8000-00000000000${number}`,
        last_report_id: '10000000-0000-4000-8000-000000000001',
        seen_when_created: true,
        occurrences: 1,
      })),
    );
  });

  test('has the same columns, constraints and indexes afterwards as tables that recon made', async () => {
    const { sql, database } = await databaseWith(firstVersion);
    await migrateUp(database, undefined);
    await migrateUp(database, 'made');
    const made = await listSchema(sql, 'made');
    const adopted = await listSchema(sql);

    expect(made.filter((line) => !adopted.includes(line))).toEqual([]);
    expect(adopted.filter((line) => !made.includes(line) && /reconciliation_/.test(line))).toEqual([
      'column reconciliation_exceptions.ticket text',
      'i idx_reconciliation_exceptions_severity',
      'index CREATE INDEX idx_reconciliation_exceptions_severity ON reconciliation_exceptions USING btree (severity)',
      'trigger CREATE TRIGGER touch BEFORE UPDATE ON reconciliation_exceptions FOR EACH ROW EXECUTE FUNCTION touch()',
    ]);
  });

  test("answers the operators' queries word for word, and takes what it refused before", async () => {
    const { sql, database } = await databaseWith(firstVersion);
    await migrateUp(database, undefined);
    const open = await sql.unsafe(
      "SELECT * FROM reconciliation_exceptions WHERE severity IN ('high','critical') AND resolved_at IS NULL ORDER BY created_at DESC;",
    );
    expect(open.map((row) => String(row['description']))).toEqual(['second', 'first']);
    const failed = await sql.unsafe(
      "SELECT * FROM reconciliation_checks WHERE check_type = 'circle_balance' AND passed = false ORDER BY created_at DESC LIMIT 10;",
    );
    expect(failed.map((row) => String(row['id']))).toEqual(['20000000-0000-4000-8000-000000000001']);

    await sql`
      insert into reconciliation_checks (report_id, check_type, status, passed, error_message)
      select id, 'withdrawals', 'failed', false, 'no answer' from reconciliation_reports`; // not on the host's list, no values
    await sql`delete from users`; // no foreign key into the host's tables any more
    expect([...(await sql`select distinct affected_user_id from reconciliation_exceptions order by 1`)]).toEqual([
      { affected_user_id: '00000000-0000-4000-8000-000000000001' },
      { affected_user_id: null },
    ]);
    await expect(sql`delete from reconciliation_reports`).rejects.toThrow(/foreign key/); // and no cascade
  });

  test('stays when recon goes, with its data and without what recon added', async () => {
    const { sql, database } = await databaseWith(firstVersion);
    const { dropped } = await migrateUp(database, undefined);
    const before = await dataOf(sql);

    const plan = await planDown(database, undefined);
    expect(plan.tables).toEqual([
      { name: 'reconciliation_reports', rows: '1', adopted: true },
      { name: 'reconciliation_checks', rows: '1', adopted: true },
      { name: 'reconciliation_exceptions', rows: '3', adopted: true },
      { name: 'reconciliation_findings', rows: '0', adopted: false },
      { name: 'reconciliation_exception_events', rows: '0', adopted: false },
      { name: 'reconciliation_watermarks', rows: '0', adopted: false },
      { name: 'reconciliation_waiting', rows: '0', adopted: false },
      { name: 'reconciliation_checkpoints', rows: '0', adopted: false },
      { name: 'reconciliation_totals', rows: '0', adopted: false },
      { name: 'reconciliation_alerts', rows: '0', adopted: false },
      { name: 'reconciliation_incidents', rows: '0', adopted: false },
      { name: 'reconciliation_switched_off', rows: '0', adopted: false },
      { name: 'reconciliation_told', rows: '0', adopted: false },
      { name: 'reconciliation_corrections', rows: '0', adopted: false },
      { name: 'reconciliation_correction_switch', rows: '1', adopted: false },
      { name: 'reconciliation_purges', rows: '0', adopted: false },
      { name: 'reconciliation_correction_stops', rows: '0', adopted: false },
    ]);
    expect(plan.notRestored).toContain(
      'alter table reconciliation_exceptions add constraint reconciliation_exceptions_affected_user_id_fkey FOREIGN KEY (affected_user_id) REFERENCES users(id)',
    );

    expect(dropped, 'said by `migrate up` too').toEqual(plan.notRestored);

    await migrateDown(database, undefined);
    expect(await dataOf(sql)).toEqual(before);
    const left = await listSchema(sql);
    expect(left.filter((line) => /fingerprint|occurrences|findings|events|migrations|_newest|_of_/.test(line))).toEqual(
      [],
    );
    expect(left.filter((line) => line.startsWith('constraint reconciliation_'))).toEqual([
      'constraint reconciliation_checks_pkey PRIMARY KEY (id)',
      'constraint reconciliation_exceptions_pkey PRIMARY KEY (id)',
      'constraint reconciliation_reports_pkey PRIMARY KEY (id)',
    ]);

    await migrateUp(database, undefined);
    expect(await dataOf(sql)).toEqual(before);
  });

  test('may be there in part; rows whose report is gone stay', async () => {
    const { sql, database } = await databaseWith(
      `${firstVersion}; alter table reconciliation_exceptions
         drop constraint reconciliation_exceptions_report_id_fkey, drop constraint reconciliation_exceptions_check_id_fkey;
       drop table reconciliation_checks; drop table reconciliation_reports;`,
    );
    await migrateUp(database, undefined);
    expect([...(await sql`select count(*) from reconciliation_exceptions`)]).toEqual([{ count: '3' }]);
    await sql`update reconciliation_exceptions set resolved_at = now(), resolved_by = 'ada'`;
    await expect(
      sql`update reconciliation_exceptions set report_id = gen_random_uuid()`, // a new reference is checked
    ).rejects.toThrow(/foreign key/);
    expect((await planDown(database, undefined)).tables.filter(({ adopted }) => adopted)).toHaveLength(1);

    await migrateDown(database, undefined);
    const tables = (await listSchema(sql)).filter((line) => line.startsWith('r '));
    expect(tables).toEqual(['r reconciliation_exceptions', 'r users']);
  });

  test('a view on a column that needs no change is no obstacle', async () => {
    const { sql, database } = await databaseWith(
      `${firstVersion}; create view dashboard as select description, correction_action from reconciliation_exceptions;`,
    );
    await migrateUp(database, undefined);
    expect(await sql`select from dashboard`).toHaveLength(3);
  });
});

describe('refused, named, and nothing half-done', () => {
  test.each([
    ['a view', 'create view reconciliation_checks as select 1 as id', 'reconciliation_checks: is not a plain table'],
    [
      'other columns',
      'create table reconciliation_reports (id uuid primary key, name text)',
      'reconciliation_reports: it has no column run_type',
    ],
    [
      'another key',
      `${firstVersion}; alter table reconciliation_exceptions drop constraint reconciliation_exceptions_pkey`,
      'reconciliation_exceptions: its primary key is not (id)',
    ],
    [
      'another type',
      `${firstVersion}; alter table reconciliation_exceptions alter difference drop default,
         alter difference type double precision`,
      'reconciliation_exceptions: its column difference is double precision, not numeric',
    ],
    [
      'a further column that needs a value',
      `${firstVersion}; delete from reconciliation_exceptions; delete from reconciliation_checks;
         alter table reconciliation_checks add tenant int not null`,
      'reconciliation_checks: its column tenant is not of the first version',
    ],
    [
      'a column in our way',
      `${firstVersion}; alter table reconciliation_exceptions add kind text`,
      'reconciliation_exceptions: its column kind is not of the first version',
    ],
    [
      'a value that no report may have',
      `${firstVersion}; alter table reconciliation_reports drop constraint reconciliation_reports_status_check;
         update reconciliation_reports set status = 'running'`,
      'check constraint "reconciliation_reports_status_check" of relation "reconciliation_reports" is violated by some row',
    ],
    [
      'a key that is null',
      `${firstVersion}; alter table reconciliation_exceptions alter report_id drop not null;
         update reconciliation_exceptions set report_id = null`,
      'column "report_id" of relation "reconciliation_exceptions" contains null values',
    ],
    [
      'a view on a column that must change',
      `${firstVersion}; create view dashboard as select severity from reconciliation_exceptions`,
      'cannot alter type of a column used by a view or rule. rule _RETURN on view dashboard depends on column "severity"',
    ],
    [
      'a table of the second migration',
      'create table reconciliation_findings (id int)',
      'relation "reconciliation_findings" already exists',
    ],
  ])('%s', async (_, given, reason) => {
    const { sql, database } = await databaseWith(given);
    const before = (await listSchema(sql)).filter((line) => !line.includes('reconciliation_migrations'));
    const error: unknown = await migrateUp(database, undefined).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(OperatorError);
    expect((error as OperatorError).exitCode).toBe(78);
    expect((error as OperatorError).message).toContain(reason);
    await migrateDown(database, undefined);
    expect(await listSchema(sql)).toEqual(before);
  });

  test('every problem at once', async () => {
    const { database } = await databaseWith(
      'create view reconciliation_checks as select 1 as id; create table reconciliation_reports (id int)',
    );
    const error: unknown = await migrateUp(database, undefined).catch((thrown: unknown) => thrown);
    expect((error as OperatorError).message).toMatch(
      /reconciliation_checks: is not a plain table; reconciliation_reports: it has no column completed_at; .*its column id is integer, not uuid/,
    );
  });
});
