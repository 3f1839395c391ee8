import { inReadOnly, type Database, type Transaction } from '../database/database.ts';
import { OperatorError } from '../operator-error.ts';
import { assertNothingGone } from './gone.ts';
import { migrationStatus } from './migrations.ts';
import { plannedSchema } from './schema.ts';

/**
 * That the tables of `schema` are those that this recon works with, and that this role may read them.
 * @returns the schema's name
 * @throws OperatorError 78 that says what to do
 */
export async function assertMigrated(database: Database, schema: string | undefined): Promise<string> {
  const name = await plannedSchema(database, schema);
  const status = await migrationStatus(database, schema);
  assertNothingGone(status);
  const { migrations } = status;
  const pending = migrations.filter(({ appliedAt }) => appliedAt === null);
  if (pending.length === 0) return name;
  const place = await inReadOnly(database, (seen) => lookUp(seen, name));
  const how = place.makeable ? `Run \`recon migrate up\`, or ${ofOthers}` : `This role may not make them: ${ofOthers}`;
  if (pending.length < migrations.length)
    throw new OperatorError(78, `The schema ${name} lacks ${pending.map((one) => one.name).join(', ')}.`, how);
  const [elsewhere] = place.elsewhere;
  if (elsewhere === undefined) throw new OperatorError(78, `The schema ${name} has no tables of recon yet.`, how);
  throw new OperatorError(
    78,
    `The schema ${name} has no tables of recon; the schema ${elsewhere} has.`,
    `If those are meant: RECONCILIATION_SCHEMA=${elsewhere}. If not: ${how}`,
  );
}

const ofOthers =
  'give a database administrator what `recon migrate up --print` prints. `recon run --dry-run` works without.';

interface Place {
  makeable: boolean;
  /** Other schemas with tables of recon, in alphabetical order. */
  elsewhere: string[];
}

async function lookUp(transaction: Transaction, schema: string): Promise<Place> {
  const [place] = await transaction<Place[]>`
    select
      coalesce(
        (
          select has_schema_privilege(namespace.oid, 'create')
          from pg_catalog.pg_namespace as namespace
          where namespace.nspname = ${schema}
        ),
        has_database_privilege(current_database(), 'create')
      ) as makeable,
      array(
        select namespace.nspname
        from pg_catalog.pg_class as class
        inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
        where
          class.relname = 'reconciliation_migrations'
          and class.relkind = 'r'
          and namespace.nspname <> ${schema}
          -- what RECONCILIATION_SCHEMA can name, and no session's own
          and namespace.nspname ~ '^[a-z_][a-z0-9_]*$'
          and namespace.nspname !~ '^pg_'
        order by namespace.nspname
      ) as elsewhere
  `;
  if (place === undefined) throw new Error('The catalog of the database gave no answer.');
  return place;
}
