import {
  asTheRole,
  inReadOnly,
  inSavepoint,
  inTransaction,
  type Database,
  type Transaction,
} from '../database/database.ts';
import { databaseProblem } from '../database/problem.ts';
import { OperatorError } from '../operator-error.ts';
import { explain } from './run-sql.ts';

/** The schema to use, made if it is named and missing. */
export async function makeSchema(database: Database, schema: string | undefined): Promise<string> {
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

/** The same, where our tables are or would be: it need not be there yet. */
export async function plannedSchema(database: Database, schema: string | undefined): Promise<string> {
  return schema ?? defaultSchema(database);
}

/** The same, not made. Throws an OperatorError (78) if it is missing. */
export async function existingSchema(database: Database, schema: string | undefined): Promise<string> {
  if (schema === undefined) return defaultSchema(database);
  if (await schemaExists(database, schema)) return schema;
  throw new OperatorError(78, `The database has no schema ${schema}.`, 'Check RECONCILIATION_SCHEMA.');
}

/** Whether it is there. */
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
      `As a database administrator: \`grant usage on schema ${row.closed} to ${row.role};\``,
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

/** Whether `makeSchema` made it. */
export async function isOwnSchema(transaction: Transaction, schema: string): Promise<boolean> {
  const own = await transaction`
    select from pg_namespace
    where nspname = ${schema} and obj_description(oid, 'pg_namespace') = 'Made by recon migrate.'`;
  return own.length > 0;
}

/** Drops it if `makeSchema` made it and it is empty. */
export async function dropOwnSchema(database: Database, schema: string): Promise<void> {
  await inTransaction(database, 'read write', async (transaction) => {
    if (!(await isOwnSchema(transaction, schema))) return;
    await inSavepoint(transaction, (savepoint) => savepoint`drop schema ${savepoint(schema)}`).catch(
      (error: unknown) => {
        if (databaseProblem(error)?.code !== dependentObjects) throw error; // somebody else's things are in it
      },
    );
  });
}

/** SQLSTATE (PostgreSQL, appendix A). */
const dependentObjects = '2BP01';
