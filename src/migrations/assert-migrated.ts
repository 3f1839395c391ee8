import type { Database } from '../database/database.ts';
import { howToGrant } from '../database/rights.ts';
import { OperatorError } from '../operator-error.ts';
import { migrationStatus, plannedSchema } from './migrations.ts';

/**
 * That the tables of `schema` are those that this recon works with, and that this role may read them.
 * @returns the schema's name
 * @throws OperatorError 78 that says what to do
 */
export async function assertMigrated(database: Database, schema: string | undefined): Promise<string> {
  const name = await plannedSchema(database, schema);
  const place = await lookUp(database, name);
  if (place.made && !place.readable)
    throw new OperatorError(
      78,
      `The role may not read the tables of recon in the schema ${name}.`,
      howToGrant(place.role, schema),
    );
  const { migrations } = await migrationStatus(database, schema);
  const pending = migrations.filter(({ appliedAt }) => appliedAt === null);
  if (pending.length === 0) return name;
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
  /** As SQL writes it. */
  role: string;
  made: boolean;
  readable: boolean;
  makeable: boolean;
  /** Other schemas with tables of recon, in alphabetical order. */
  elsewhere: string[];
}

/** What the catalog says about the tables of recon: to a role without rights on a schema they look as if not there. */
async function lookUp(database: Database, schema: string): Promise<Place> {
  const [place] = await database<Place[]>`
    with
    history as (
      select namespace.nspname as schema, namespace.oid as namespace, class.oid
      from pg_catalog.pg_class as class
      inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
      where class.relname = 'reconciliation_migrations' and class.relkind = 'r'
    ),
    own as (
      select
        count(history.oid) > 0 as made,
        coalesce(
          bool_and(has_schema_privilege(history.namespace, 'usage') and has_table_privilege(history.oid, 'select')),
          false
        ) as readable
      from history
      where history.schema = ${schema}
    )
    select
      quote_ident(current_user) as role,
      own.made,
      own.readable,
      coalesce(
        (
          select has_schema_privilege(namespace.oid, 'create')
          from pg_catalog.pg_namespace as namespace
          where namespace.nspname = ${schema}
        ),
        has_database_privilege(current_database(), 'create')
      ) as makeable,
      array(
        select history.schema
        from history
        -- what RECONCILIATION_SCHEMA can name, and no session's own
        where history.schema <> ${schema} and history.schema ~ '^[a-z_][a-z0-9_]*$' and history.schema !~ '^pg_'
        order by history.schema
      ) as elsewhere
    from own
  `;
  if (place === undefined) throw new Error('The catalog of the database gave no answer.');
  return place;
}
