import type { Database } from '../database/database.ts';
import { howToGrant, missingRights, roleOf } from '../database/rights.ts';
import { assertMigrated } from '../migrations/assert-migrated.ts';
import { migrationStatus, plannedSchema } from '../migrations/migrations.ts';
import { rolesFile } from '../shipped.ts';
import { ok, problem, warning, type DatabasePatient, type Examination, type Opinion } from './examination.ts';

/** The tables of recon. */
export const tables: Examination<DatabasePatient> = {
  topic: 'tables',
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
    const { missing, onlyReads } = await missingRights(database, schema);
    const how = howToGrant(await roleOf(database), config.schema);
    if (missing.length > 0 && !onlyReads) return [problem(`The role may not ${missing.join('; ')}.`, how)];
    const excess = await excessOf(database, schema);
    if (onlyReads)
      return [warning('The role may only look: it can neither run nor change an exception.', how), ...excess];
    return excess.length > 0 ? excess : [ok('The role may do what a run does, and no more.')];
  },
};

/** What the role may that no run does; none: nothing. A right on single columns is that of corrections. */
async function excessOf(database: Database, schema: string): Promise<Opinion[]> {
  const [role] = await database<{ superuser: boolean; writable: string[] }[]>`
    select
      role.rolsuper as superuser,
      array(
        select class.oid::regclass::text
        from pg_catalog.pg_class as class
        inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
        where
          class.relkind in ('r', 'p')
          and namespace.nspname not in ('pg_catalog', 'information_schema')
          and not (namespace.nspname = ${schema} and class.relname like 'reconciliation\\_%')
          and has_schema_privilege(namespace.oid, 'usage')
          and has_table_privilege(class.oid, 'insert, update, delete, truncate')
        order by class.oid::regclass::text
      ) as writable
    from pg_catalog.pg_roles as role
    where role.rolname = current_user
  `;
  if (role?.superuser === true) return [tooMuch('The role is a superuser')];
  if (role === undefined || role.writable.length === 0) return [];
  const [first, second, third] = role.writable;
  const named = [first, second, third].filter((name) => name !== undefined).join(', ');
  return [tooMuch(`The role may write tables that are not recon’s (${named}${role.writable.length > 3 ? ', …' : ''})`)];
}

function tooMuch(what: string): Opinion {
  return warning(
    `${what}: whoever has its password may change the ledger.`,
    `Use a role that is a member of recon_reader and recon_writer: ${rolesFile}.`,
  );
}
