import type { Transaction } from '../database/database.ts';
import { databaseProblem } from '../database/problem.ts';
import { howToGrant } from '../database/rights.ts';
import { OperatorError } from '../operator-error.ts';
import type { Migration } from './files.ts';

/** Where it is kept what was applied. */
export const historyTable = `
create table if not exists reconciliation_migrations (
  version integer primary key,
  name text not null,
  sha256 text not null,
  details jsonb not null default '{}',
  applied_at timestamptz not null default now(),
  applied_by text not null default current_user
);
comment on table reconciliation_migrations is 'Which of the files under sql/migrations were applied, by recon migrate.';
comment on column reconciliation_migrations.sha256 is 'Of the file as it was then.';
comment on column reconciliation_migrations.details is 'Which tables were adopted, and which of their constraints went.';
`;

interface HistoryRow {
  version: number;
  name: string;
  sha256: string;
  details: { adopted?: string[]; dropped?: string[] };
  applied_at: string;
  applied_by: string;
}

/** By version. */
export type History = Map<number, HistoryRow>;

/** What was applied in that schema, where plain names are found; refuses a history that is not that of these files. */
export async function readHistory(transaction: Transaction, schema: string, migrations: Migration[]): Promise<History> {
  if (!(await hasHistory(transaction, schema))) return new Map();
  const rows = await readHistoryRows(transaction);
  for (const row of rows) assertKnown(row, migrations);
  return new Map(rows.map((row) => [row.version, row]));
}

/** Asks the catalog: to a role without rights on the schema its tables look as if they were not there. */
async function hasHistory(transaction: Transaction, schema: string): Promise<boolean> {
  const [table] = await transaction<{ readable: boolean }[]>`
    select
      has_schema_privilege(namespace.oid, 'usage') and has_table_privilege(class.oid, 'select') as readable
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relname = 'reconciliation_migrations' and namespace.nspname = ${schema}
  `;
  if (table === undefined) return false;
  if (table.readable) return true;
  throw new OperatorError(
    78,
    `The role may not read the tables of recon in the schema ${schema}.`,
    await howToGrant(transaction, schema),
  );
}

async function readHistoryRows(transaction: Transaction): Promise<HistoryRow[]> {
  try {
    return await transaction<HistoryRow[]>`
      select version, name, sha256, details, applied_at, applied_by from reconciliation_migrations order by version`;
  } catch (error) {
    if (databaseProblem(error)?.code !== undefinedColumn) throw error;
    throw new OperatorError(
      78,
      'The table reconciliation_migrations was not made by recon.',
      'Rename it, or set RECONCILIATION_SCHEMA to another schema.',
      { cause: error },
    );
  }
}

function assertKnown(row: HistoryRow, migrations: Migration[]): void {
  const file = migrations.find(({ version }) => version === row.version);
  if (file === undefined)
    throw new OperatorError(
      78,
      `The database is newer than this recon: it has the migration ${row.name}.`,
      'Use the release of recon that applied it, or a later one.',
    );
  if (file.sha256 !== row.sha256)
    throw new OperatorError(
      78,
      `sql/migrations/${file.name}.up.sql was edited after ${row.applied_by} had applied it (${row.applied_at}).`,
      'Restore the file, and put the change into a migration of its own.',
    );
}

/** What `migrateUp` took from the user's own tables, as statements that would bring it back. */
export function droppedIn(history: History): string[] {
  return [...history.values()].flatMap(({ details }) => details.dropped ?? []);
}

/** SQLSTATE, PostgreSQL appendix A. */
const undefinedColumn = '42703';
