import {
  asTheRole,
  inReadOnly,
  inSavepoint,
  inTransaction,
  query,
  type Database,
  type Transaction,
} from '../database/database.ts';
import { holdLock } from '../database/held-lock.ts';
import { databaseProblem, lockNotAvailable, type DatabaseProblem } from '../database/problem.ts';
import { readMigrations, type Migration } from './files.ts';
import { droppedIn, historyTable, readHistory, type History } from './history.ts';
import { OperatorError } from '../operator-error.ts';
import { describeSqlProblem } from '../database/sql-problem.ts';

/** What is in the schema of recon's tables. */
export interface MigrationStatus {
  schema: string;
  migrations: MigrationState[];
}

export interface MigrationState {
  /** `0001_reports_checks_exceptions`. */
  name: string;
  /** RFC 3339, UTC; null while it is pending. */
  appliedAt: string | null;
  appliedBy: string | null;
}

/** What `migrateDown` would do to the data. */
export interface DownPlan {
  database: string;
  schema: string;
  tables: PlannedTable[];
  /** Those of them that hold what nothing can bring back. */
  record: string[];
  /** Statements that would give adopted tables back the constraints they had. */
  notRestored: string[];
}

export interface PlannedTable {
  name: string;
  /** As text: PostgreSQL counts in bigint. */
  rows: string;
  /** The table was there before recon: it stays, with all rows, and loses what recon added. */
  adopted: boolean;
}

export interface Applied {
  schema: string;
  applied: string[];
  dropped: string[];
}

/**
 * Applies what is pending, each migration in a transaction of its own.
 * @param schema the one to use, made if it is missing; undefined: the database's default
 * @returns the names of those that this call applied, and the definitions that stood in the way of adopted tables
 * @throws OperatorError 4 if a lock was not to be had in time, 78 if the schema holds something that it should not
 */
export async function migrateUp(database: Database, schema: string | undefined): Promise<Applied> {
  const migrations = await readMigrations();
  const target = await makeSchema(database, schema);
  const applied: string[] = [];
  for (;;) {
    const next = await step(database, target, (transaction) => applyNext(transaction, target, migrations));
    if (next === undefined) break;
    applied.push(next);
  }
  if (applied.length === 0) return { schema: target, applied, dropped: [] };
  const history = await reading(database, target, (transaction) => readHistory(transaction, target, migrations));
  return { schema: target, applied, dropped: droppedIn(history) };
}

/**
 * Takes back every migration, the newest first, each in a transaction of its own. Drops what they made; adopted tables
 * stay. Then the history goes, and the schema if `migrateUp` made it and it is empty.
 */
export async function migrateDown(
  database: Database,
  schema: string | undefined,
): Promise<{ schema: string; reverted: string[] }> {
  const migrations = await readMigrations();
  const target = await existingSchema(database, schema);
  const reverted: string[] = [];
  for (;;) {
    const last = await step(database, target, (transaction) => revertLast(transaction, target, migrations));
    if (last === undefined) break;
    reverted.push(last);
  }
  await dropOwnSchema(database, target);
  return { schema: target, reverted };
}

/** Which migrations are applied and which are pending. Only reads. */
export async function migrationStatus(database: Database, schema: string | undefined): Promise<MigrationStatus> {
  const migrations = await readMigrations();
  return reading(database, schema, async (transaction, target) => {
    const history = await readHistory(transaction, target, migrations);
    return { schema: target, migrations: migrations.map((migration) => stateOf(migration, history)) };
  });
}

/**
 * What `migrateDown` would drop, with the number of rows. Only reads.
 * @throws OperatorError 78 if the role could not do it
 */
export async function planDown(database: Database, schema: string | undefined): Promise<DownPlan> {
  const migrations = await readMigrations();
  return reading(database, schema, async (transaction, target) => {
    const history = await readHistory(transaction, target, migrations);
    const applied = migrations.filter(({ version }) => history.has(version));
    await assertOwner(transaction, target, [...applied.flatMap(({ tables }) => tables), 'reconciliation_migrations']);
    const adopted = [...history.values()].flatMap(({ details }) => details.adopted ?? []);
    const tables = await Promise.all(
      applied
        .flatMap(({ tables }) => tables)
        .map(async (name) => ({ name, rows: await countRows(transaction, name), adopted: adopted.includes(name) })),
    );
    return {
      database: await nameOf(transaction),
      schema: target,
      tables,
      record: [...tables.filter(holdsRecord).map(({ name }) => name), ...(await standingStop(transaction, tables))],
      notRestored: droppedIn(history),
    };
  });
}

/** Only who is a member of the owner may drop or alter a table: to be known before anybody confirms it. */
async function assertOwner(transaction: Transaction, schema: string, tables: readonly string[]): Promise<void> {
  const [other] = await transaction<{ owner: string; role: string }[]>`
    select quote_ident(pg_get_userbyid(class.relowner)) as owner, quote_ident(current_user) as role
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where
      namespace.nspname = ${schema}
      and class.relname::text = any (${[...tables]}::text[])
      and not pg_has_role(class.relowner, 'usage')
    order by class.relname
    limit 1
  `;
  if (other === undefined) return;
  throw new OperatorError(
    78,
    `The role ${other.role} may not drop the tables of recon in the schema ${schema}: they belong to ${other.owner}. Nothing was changed.`,
    ofOwner,
  );
}

/** What was found, and what people did about it. Counters and alerts are of the same runs. */
const recordTables = ['reports', 'exceptions', 'exception_events', 'corrections'];

function holdsRecord({ name, rows, adopted }: PlannedTable): boolean {
  return !adopted && rows !== '0' && recordTables.includes(name.replace('reconciliation_', ''));
}

/** The switch of corrections, where somebody stopped them: without its table they would be allowed again. */
async function standingStop(transaction: Transaction, tables: readonly PlannedTable[]): Promise<string[]> {
  const name = 'reconciliation_correction_switch';
  if (!tables.some((table) => table.name === name)) return [];
  const stopped = await transaction`select from ${transaction(name)} as switch where switch.stopped`;
  return stopped.length > 0 ? [name] : [];
}

async function nameOf(transaction: Transaction): Promise<string> {
  const [row] = await transaction<{ name: string }[]>`select current_database() as name`;
  return row?.name ?? '';
}

function stateOf({ version, name }: Migration, history: History): MigrationState {
  const row = history.get(version);
  return { name, appliedAt: row?.applied_at ?? null, appliedBy: row?.applied_by ?? null };
}

async function countRows(transaction: Transaction, table: string): Promise<string> {
  const [row] = await transaction<{ count: string }[]>`select count(*) from ${transaction(table)}`;
  return row?.count ?? '0';
}

/** A read-only look with the schema as the only place where names are found. A missing schema is an empty one. */
async function reading<T>(
  database: Database,
  schema: string | undefined,
  body: (transaction: Transaction, schema: string) => Promise<T>,
): Promise<T> {
  const target = schema ?? (await defaultSchema(database));
  return inTransaction(database, 'isolation level repeatable read, read only', async (transaction) => {
    await enter(transaction, target);
    return body(transaction, target);
  });
}

/** One transaction that no other migration of the same schema runs beside. */
async function step<T>(database: Database, schema: string, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return inTransaction(database, 'read write', async (transaction) => {
    await enter(transaction, schema);
    await holdLock(transaction, `recon migrate ${schema}`);
    return body(transaction);
  });
}

/** Plain names mean that schema, until the transaction ends; `pg_temp` last, so that nothing there stands in for it. */
async function enter(transaction: Transaction, schema: string): Promise<void> {
  await transaction`
    select set_config('search_path', quote_ident(${schema}) || ', pg_temp', true), set_config('timezone', 'UTC', true)`;
}

async function applyNext(
  transaction: Transaction,
  schema: string,
  migrations: Migration[],
): Promise<string | undefined> {
  const history = await readHistory(transaction, schema, migrations);
  const next = migrations.find(({ version }) => !history.has(version));
  if (next === undefined) return undefined;
  if (history.size === 0) await runSql(transaction, 'reconciliation_migrations', historyTable);
  await transaction`
    insert into reconciliation_migrations (version, name, sha256) values (${next.version}, ${next.name}, ${next.sha256})`;
  await runSql(transaction, `sql/migrations/${next.name}.up.sql`, next.up);
  return next.name;
}

async function revertLast(
  transaction: Transaction,
  schema: string,
  migrations: Migration[],
): Promise<string | undefined> {
  const history = await readHistory(transaction, schema, migrations);
  const last = migrations.findLast(({ version }) => history.has(version));
  if (last === undefined) return undefined;
  await runSql(transaction, `sql/migrations/${last.name}.down.sql`, last.down);
  await transaction`delete from reconciliation_migrations where version = ${last.version}`;
  if (history.size === 1) await transaction`drop table reconciliation_migrations`;
  return last.name;
}

async function makeSchema(database: Database, schema: string | undefined): Promise<string> {
  if (schema === undefined) return defaultSchema(database);
  if (!(await schemaExists(database, schema))) {
    await inTransaction(database, 'read write', async (transaction) => {
      await transaction`create schema if not exists ${transaction(schema)}`;
      // PostgreSQL takes no parameter in a comment; the mark is our constant.
      await transaction`comment on schema ${transaction(schema)} is 'Made by recon migrate.'`;
    }).catch(explain(`create schema ${schema}`, ''));
  }
  return schema;
}

/** Where our tables are, or would be: the schema need not be there yet. */
export async function plannedSchema(database: Database, schema: string | undefined): Promise<string> {
  return schema ?? defaultSchema(database);
}

async function existingSchema(database: Database, schema: string | undefined): Promise<string> {
  if (schema === undefined) return defaultSchema(database);
  if (await schemaExists(database, schema)) return schema;
  throw new OperatorError(78, `The database has no schema ${schema}.`, 'Check RECONCILIATION_SCHEMA.');
}

export async function schemaExists(database: Database, schema: string): Promise<boolean> {
  const found = await inReadOnly(
    database,
    (transaction) => transaction`select from pg_namespace where nspname = ${schema}`,
  );
  return found.length > 0;
}

/** The first schema of the search path that is there: where a plain `create table` would put a table. */
async function defaultSchema(database: Database): Promise<string> {
  const row = await asTheRole(database, searchPathOf);
  if (typeof row?.schema === 'string') return row.schema;
  if (typeof row?.closed === 'string')
    throw new OperatorError(
      78,
      `The role may not use the schema ${row.closed}.`,
      `As a database administrator: grant usage on schema ${row.closed} to ${row.role};`,
    );
  throw new OperatorError(
    78,
    'The database has no default schema: none of its search_path exists.',
    'Set RECONCILIATION_SCHEMA.',
  );
}

interface SearchPath {
  /** The first that is there, and may be used. */
  schema: string | null;
  /** The first that is there, and may not. */
  closed: string | null;
  role: string;
}

async function searchPathOf(transaction: Transaction): Promise<SearchPath | undefined> {
  const [row] = await transaction<SearchPath[]>`
    select
      current_schema() as schema,
      quote_ident(current_user) as role,
      (
        select quote_ident(namespace.nspname)
        from regexp_split_to_table(current_setting('search_path'), ',') with ordinality as path (name, place)
        inner join pg_catalog.pg_namespace as namespace on namespace.nspname = btrim(path.name, ' "')
        where not has_schema_privilege(namespace.oid, 'usage')
        order by path.place
        limit 1
      ) as closed
  `;
  return row;
}

/** Whether `migrateUp` made it. */
export async function isOwnSchema(transaction: Transaction, schema: string): Promise<boolean> {
  const own = await transaction`
    select from pg_namespace
    where nspname = ${schema} and obj_description(oid, 'pg_namespace') = 'Made by recon migrate.'`;
  return own.length > 0;
}

async function dropOwnSchema(database: Database, schema: string): Promise<void> {
  await inTransaction(database, 'read write', async (transaction) => {
    if (!(await isOwnSchema(transaction, schema))) return;
    await inSavepoint(transaction, (savepoint) => savepoint`drop schema ${savepoint(schema)}`).catch(
      (error: unknown) => {
        if (databaseProblem(error)?.code !== dependentObjects) throw error; // somebody else's things are in it
      },
    );
  });
}

async function runSql(transaction: Transaction, file: string, text: string): Promise<void> {
  await query(transaction, text).catch(explain(file, text));
}

/** SQLSTATEs, PostgreSQL appendix A; `RECON` is our own, raised by a migration that refuses what it finds. */
const duplicates = ['42723', '42710', '42P07']; // function, trigger, table
const dependentObjects = '2BP01';
const notAllowed = '42501';
const refused = 'RECON';

const ofOwner =
  'Use the role that owns the tables or may make them, or give a database administrator what --print prints.';

const leftOver =
  'What has that name is left over from tables that were dropped by hand, or is not of recon: drop or rename it, and try again.';

function hintFor({ code, hint }: DatabaseProblem): string {
  if (duplicates.includes(code)) return leftOver;
  if (code === notAllowed) return ofOwner;
  return hint ?? 'Nothing of this migration was kept.';
}

/** Turns what PostgreSQL says about a statement into an OperatorError; lost connections are explained elsewhere. */
function explain(file: string, text: string): (error: unknown) => never {
  return (error) => {
    const problem = databaseProblem(error);
    if (problem === undefined || !/^[0-9A-Z]{5}$/.test(problem.code) || /^(08|53|57)/.test(problem.code)) throw error;
    const options = { cause: error };
    if (problem.code === refused) throw new OperatorError(78, problem.message, problem.hint, options);
    const message = describeSqlProblem(file, text, problem);
    if (problem.code === lockNotAvailable)
      throw new OperatorError(4, message, 'Somebody uses one of these tables: try again when it is quiet.', options);
    throw new OperatorError(78, message, hintFor(problem), options);
  };
}
