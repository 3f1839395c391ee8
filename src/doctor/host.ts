import type { Cut } from '../checks/check.ts';
import { inSavepoint, query } from '../database/database.ts';
import { databaseProblem } from '../database/problem.ts';
import { relationsOf } from '../run/mapping-types.ts';
import { bind, composeRelation, type Relation } from '../source.ts';
import { problem, type DatabasePatient, type Examination, type Opinion } from './examination.ts';
import { look } from './look.ts';
import { mayNot } from './relations.ts';

/**
 * That the ledger is in this database, before anybody is told to make tables here. Silent where one table that the
 * mapping names is there: what else is missing, and which rights, comes later.
 */
export const host: Examination<DatabasePatient> = {
  topic: 'host',
  examine(patient) {
    return look(patient, async (cut) => {
      const missing = new Set<string>();
      for (const relation of relationsOf(patient.config.checks)) {
        const sighting = await lookFor(cut, relation);
        if (sighting === 'found') return [];
        if (sighting !== 'needs no table') missing.add(sighting.missing);
      }
      return missing.size > 0 ? describe(cut, [...missing]) : [];
    });
  },
};

/** A relation that is made of no table, such as a list that the mapping writes out, says nothing about the database. */
type Sighting = 'found' | 'needs no table' | { missing: string };

async function lookFor({ transaction, source, params }: Cut, relation: Relation): Promise<Sighting> {
  const statement = `explain (format json, verbose) ${composeRelation(source, relation)}`;
  try {
    const plan = await inSavepoint(transaction, (savepoint) => query(savepoint, statement, bind(params)));
    return JSON.stringify(plan).includes('"Relation Name"') ? 'found' : 'needs no table';
  } catch (error) {
    const said = databaseProblem(error);
    if (said === undefined) throw error;
    const name = said.code === undefinedTable ? nameAt(statement, said.position) : undefined;
    return name === undefined ? 'found' : { missing: name }; // whatever else is wrong is told later
  }
}

/** SQLSTATE, PostgreSQL appendix A. */
const undefinedTable = '42P01';

/** The name that stands there, without its schema, as the catalog has it. The text of the error may be in any language. */
function nameAt(statement: string, position = 1): string | undefined {
  const rest = Array.from(statement)
    .slice(position - 1)
    .join('');
  const [written = ''] = /^(?:(?:"[^"]+"|\w+)\.)*(?:"[^"]+"|\w+)/.exec(rest) ?? [];
  const [, quoted, plain] = /(?:"([^"]+)"|(\w+))$/.exec(written) ?? [];
  return quoted ?? plain?.toLowerCase();
}

async function describe(cut: Cut, names: readonly string[]): Promise<Opinion[]> {
  const place = await whereabouts(cut, names);
  if (place.closed) return place.ready ? [await mayNot('use the schema of the tables that the checks read', cut)] : [];
  const { config } = cut;
  const variable = config.sourceDatabaseUrl === config.databaseUrl ? 'DATABASE_URL' : 'SOURCE_DATABASE_URL';
  const [schema] = place.open;
  return [
    problem(
      `None of the tables that the checks read is in the schemas of the database ${place.database} that this role looks into (${place.path}): ${names.join(', ')}.`,
      schema === undefined
        ? `Is this the right database and schema? Check the name at the end of ${variable}, and the role’s search_path; a ledger with other tables needs a mapping of its own, in RECONCILIATION_SOURCE.`
        : `They are in the schema ${schema}: \`alter role ${place.role} set search_path = ${schema}, public;\``,
    ),
  ];
}

interface Whereabouts {
  database: string;
  role: string;
  /** The schemas that are looked into. */
  path: string;
  /** Schemas with tables of all these names, as SQL writes them. */
  open: string[];
  /** Whether there is one that the role may not use, to which its tables look as if they were not there. */
  closed: boolean;
  /** Whether rights on it can be granted by now: the tables of recon come before those on them. */
  ready: boolean;
}

async function whereabouts({ transaction, config }: Cut, names: readonly string[]): Promise<Whereabouts> {
  const isElsewhere = config.sourceDatabaseUrl !== config.databaseUrl;
  const [place] = await transaction<Whereabouts[]>`
    with
    complete as (
      select
        quote_ident(namespace.nspname) as schema_name,
        has_schema_privilege(namespace.oid, 'usage') as usable
      from pg_catalog.pg_namespace as namespace
      inner join pg_catalog.pg_class as class on class.relnamespace = namespace.oid
      where class.relkind in ('r', 'p', 'v', 'm', 'f') and class.relname::text = any (${[...names]}::text[])
      group by namespace.oid, namespace.nspname
      having count(*) = cardinality(${[...names]}::text[])
    )
    select
      current_database() as database,
      quote_ident(current_user) as role,
      coalesce(nullif(array_to_string(array_remove(current_schemas(false), 'pg_catalog'), ', '), ''), 'none') as path,
      array(select complete.schema_name from complete where complete.usable order by complete.schema_name) as open,
      exists (select from complete where not complete.usable) as closed,
      ${isElsewhere} or exists (select from pg_catalog.pg_class as class where class.relname = 'reconciliation_migrations')
        as ready
  `;
  if (place === undefined) throw new Error('The catalog of the database gave no answer.');
  return place;
}
