import { inReadOnly, type Database } from '../database/database.ts';
import { readMigrations, type Migration } from './files.ts';
import { historyTable } from './history.ts';
import { migrationStatus } from './migrations.ts';
import { isOwnSchema, schemaExists } from './schema.ts';

/**
 * What `migrateUp` would do now, as a script for psql, each migration in a transaction of its own: for a database
 * administrator who lets nobody else make tables. Only reads.
 */
export async function migrationScript(database: Database, schema: string | undefined): Promise<string> {
  const { schema: target, migrations } = await migrationStatus(database, schema);
  const pending = migrations.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name);
  if (pending.length === 0) return `-- The schema ${quoteName(target)} is up to date.\n`;
  const files = (await readMigrations()).filter(({ name }) => pending.includes(name));
  const isFirst = pending.length === migrations.length;
  return [
    '-- Made by recon migrate up --print, for psql.',
    '\\set ON_ERROR_STOP on',
    ...((await schemaExists(database, target)) ? [] : [makeSchema(target)]),
    ...files.map((file, index) => step(target, file, isFirst && index === 0)),
  ].join('\n\n');
}

/** What `migrateDown` would do now, in the same way. Only reads. */
export async function downScript(database: Database, schema: string | undefined): Promise<string> {
  const { schema: target, migrations } = await migrationStatus(database, schema);
  const applied = migrations.filter(({ appliedAt }) => appliedAt !== null).map(({ name }) => name);
  if (applied.length === 0) return `-- The schema ${quoteName(target)} has no tables of recon.\n`;
  const files = (await readMigrations()).filter(({ name }) => applied.includes(name)).reverse();
  return [
    '-- Made by recon migrate down --print, for psql: drops the tables that recon made, with their data.',
    '\\set ON_ERROR_STOP on',
    ...files.map((file, index) => stepDown(target, file, index === files.length - 1)),
    ...((await inReadOnly(database, (transaction) => isOwnSchema(transaction, target)))
      ? [`-- Refused while things of others are in it.\ndrop schema ${quoteName(target)};\n`]
      : []),
  ].join('\n\n');
}

function makeSchema(schema: string): string {
  return `create schema ${quoteName(schema)};\ncomment on schema ${quoteName(schema)} is 'Made by recon migrate.';`;
}

/** The same statements as `migrateUp` runs, in the same order. */
function step(schema: string, { version, name, sha256, up }: Migration, isFirst: boolean): string {
  return inTransaction(
    schema,
    name,
    `${isFirst ? historyTable : ''}
insert into reconciliation_migrations (version, name, sha256) values (${version}, '${name}', '${sha256}');

${up.trimEnd()}`,
  );
}

/** The same statements as `migrateDown` runs, in the same order. */
function stepDown(schema: string, { version, name, down }: Migration, isLast: boolean): string {
  return inTransaction(
    schema,
    name,
    `${down.trimEnd()}
delete from reconciliation_migrations where version = ${version};${isLast ? '\ndrop table reconciliation_migrations;' : ''}`,
  );
}

function inTransaction(schema: string, name: string, statements: string): string {
  return `-- ${name}
begin;
set local search_path = ${quoteName(schema)}, pg_temp;
set local timezone = 'UTC';
select pg_advisory_xact_lock(hashtextextended(${quoteText(`recon migrate ${schema}`)}, 0));
${statements}

commit;
`;
}

/** As the values of the database itself are quoted in it: the name of a schema may hold anything. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
