import type { Config } from '../config.ts';
import { inReadOnly, type Transaction } from '../database/database.ts';
import { howToGrant, ownRights } from '../database/rights.ts';
import { assertMigrated } from '../migrations/assert-migrated.ts';
import { migrationStatus } from '../migrations/migrations.ts';
import { plannedSchema } from '../migrations/schema.ts';
import { rolesFile } from '../shipped.ts';
import { ok, problem, some, warning, type DatabasePatient, type Examination, type Opinion } from './examination.ts';

/** The tables of recon. */
export const tables: Examination<DatabasePatient> = {
  topic: 'tables',
  after: 'host',
  async examine({ database, config }) {
    const schema = await assertMigrated(database, config.schema);
    const { migrations } = await migrationStatus(database, config.schema);
    return [ok(`Schema ${schema}, all ${migrations.length} migrations applied.`)];
  },
};

/** What the role may do to the tables of recon, and what it may that it need not. */
export const rights: Examination<DatabasePatient> = {
  topic: 'rights',
  after: 'tables',
  async examine({ database, config }) {
    const schema = await plannedSchema(database, config.schema);
    return inReadOnly(database, (transaction) => compare(transaction, schema, doesCorrect(config)));
  },
};

async function compare(transaction: Transaction, schema: string, corrects: boolean): Promise<Opinion[]> {
  const { missing, excess, onlyReads } = await ownRights(transaction, schema);
  const how = await howToGrant(transaction, schema);
  const tooMany = await tooManyRights(transaction, { schema, excess, corrects });
  if (onlyReads)
    return [
      problem('The role may only look, which is enough for that: it can neither run nor change an exception.', how),
      ...tooMany,
    ];
  if (missing.length > 0) return [problem(`The role may not ${missing.join('; ')}.`, how), ...tooMany];
  const besides = corrects ? 'beyond that no more than corrections take, which are looked at next' : 'no more';
  return tooMany.length > 0 ? tooMany : [ok(`The role may do what a run does, and ${besides}.`)];
}

/** Whether somebody has decided that the role of the runs corrects, too. */
function doesCorrect({ databaseUrl, corrections: { databaseUrl: url, variable, automatic } }: Config): boolean {
  return url === databaseUrl && (automatic || variable === 'CORRECTION_DATABASE_URL');
}

interface OfRole {
  /** Where the tables of recon are. */
  schema: string;
  /** What the role may do to them, and no run does. */
  excess: readonly string[];
  /** Whether it may write single columns of the host, and add rows. */
  corrects: boolean;
}

/** What the role may that no run does; none: nothing. */
async function tooManyRights(transaction: Transaction, { schema, excess, corrects }: OfRole): Promise<Opinion[]> {
  if (await isSuperuser(transaction)) return [tooMuch('The role is a superuser', ledgerAtRisk)];
  const writable = await writableTables(transaction, schema, { byColumn: !corrects });
  const opinions = [];
  if (writable.length > 0)
    opinions.push(tooMuch(`The role may write tables that are not recon’s (${some(writable)})`, ledgerAtRisk));
  if (excess.length > 0)
    opinions.push(
      tooMuch(`The role may do what no run does (${some(excess, { separator: '; ' })})`, 'may remove what was found'),
    );
  return opinions;
}

const ledgerAtRisk = 'may change the ledger';

async function isSuperuser(transaction: Transaction): Promise<boolean> {
  const [role] = await transaction<{ superuser: boolean }[]>`
    select role.rolsuper as superuser
    from pg_catalog.pg_roles as role
    where role.rolname = current_user
  `;
  return role?.superuser === true;
}

/** Tables of others in which the role may change rows; `byColumn`: also where it may write single columns only. */
async function writableTables(
  transaction: Transaction,
  schema: string,
  { byColumn }: { byColumn: boolean },
): Promise<string[]> {
  const rows = await transaction<{ name: string }[]>`
    select class.oid::regclass::text as name
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where
      class.relkind in ('r', 'p')
      and namespace.nspname not in ('pg_catalog', 'information_schema')
      and not (namespace.nspname = ${schema} and class.relname like 'reconciliation\\_%')
      and has_schema_privilege(namespace.oid, 'usage')
      and (
        has_table_privilege(class.oid, 'insert, update, delete, truncate')
        or ${byColumn} and has_any_column_privilege(class.oid, 'insert, update')
      )
    order by name
  `;
  return rows.map(({ name }) => name);
}

function tooMuch(what: string, risk: string): Opinion {
  return warning(
    `${what}: whoever has its password ${risk}.`,
    `Use a role that is a member of recon_reader and recon_writer only: ${rolesFile}.`,
  );
}
