import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { holdLock } from '../database/held-lock.ts';
import { readMigrations, type Migration } from './files.ts';
import { assertNothingGone, whatIsGone } from './gone.ts';
import { droppedIn, historyTable, readHistory, type History } from './history.ts';
import { OperatorError } from '../operator-error.ts';
import { ofOwner, runSql } from './run-sql.ts';
import { dropOwnSchema, existingSchema, makeSchema, plannedSchema } from './schema.ts';

/** What is in the schema of recon's tables. */
export interface MigrationStatus {
  schema: string;
  migrations: MigrationState[];
  /** What those that are applied made, and is not there any more: tables, and columns as `table.column`. */
  gone: string[];
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
 * @throws OperatorError 4 if a lock was not to be had in time, 78 if the schema holds something that it should not, or lacks what it had
 */
export async function migrateUp(database: Database, schema: string | undefined): Promise<Applied> {
  const migrations = await readMigrations();
  const target = await makeSchema(database, schema);
  assertNothingGone(await migrationStatus(database, target));
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
    return {
      schema: target,
      migrations: migrations.map((migration) => stateOf(migration, history)),
      gone: await whatIsGone(
        transaction,
        target,
        migrations.filter(({ version }) => history.has(version)),
      ),
    };
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
const recordTables = ['reports', 'exceptions', 'exception_events', 'corrections', 'correction_stops', 'purges'];

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
  const target = await plannedSchema(database, schema);
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
