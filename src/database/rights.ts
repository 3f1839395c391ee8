import { readFileSync } from 'node:fs';
import { forShell } from '../shell.ts';
import { rolesFile } from '../shipped.ts';
import type { Transaction } from './database.ts';
import type { UrlVariable } from './problem.ts';

/** What a database administrator types for who is connected; `schema` is where recon's tables are, or are to be. */
export async function howToGrant(transaction: Transaction, schema: string | undefined): Promise<string> {
  const place = await placeFor(transaction, schema);
  return `As a database administrator: \`psql -v ON_ERROR_STOP=1 ${rolesFor(place)}\`, and then: \`grant recon_reader, recon_writer to ${place.role}; -- only to look: recon_reader\``;
}

/** The same for SOURCE_DATABASE_URL, where the checks only read; recon's tables may be elsewhere. */
export async function howToGrantReading(transaction: Transaction, schema: string | undefined): Promise<string> {
  const place = await placeFor(transaction, schema);
  const where = place.standby ? 'the main database of this replica' : 'the server of SOURCE_DATABASE_URL';
  const grant = `\`grant recon_reader to ${place.role};\``;
  return place.tables
    ? `As a database administrator, on ${where}: \`psql -v ON_ERROR_STOP=1 ${rolesFor(place)}\`, and then: ${grant}`
    : `As a database administrator, on ${where}: \`psql ${rolesFor(place)}\`, which says of each table of recon that it is not there, and then: ${grant}`;
}

/** Where sql/roles.sql is to be run, names as SQL writes them. */
interface Place {
  database: string;
  role: string;
  /** The schemas in which the file has to find the tables of recon and of the host. */
  path: string;
  standby: boolean;
  /** Whether recon has tables here. */
  tables: boolean;
}

/** The path is that with which the role connects, whatever this transaction set, with recon's schema before it. */
async function placeFor(transaction: Transaction, schema: string | undefined): Promise<Place> {
  const [place] = await transaction<Place[]>`
    with
    looked_into as (
      select 0 as place, ${schema ?? null}::text as name
      union all
      select item.place, replace(btrim(item.name, ' "'), '$user', current_user) as name
      from pg_catalog.pg_settings as setting
      cross join lateral regexp_split_to_table(setting.reset_val, ',') with ordinality as item (name, place)
      where setting.name = 'search_path'
    ),
    existing as (
      select namespace.nspname as name, min(looked_into.place) as place
      from looked_into
      inner join pg_catalog.pg_namespace as namespace on namespace.nspname = looked_into.name
      where namespace.nspname <> 'pg_catalog'
      group by namespace.nspname
    )
    select
      current_database() as database,
      quote_ident(current_user) as role,
      coalesce((select string_agg(quote_ident(existing.name), ', ' order by existing.place) from existing), '') as path,
      pg_is_in_recovery() as standby,
      exists (
        select from pg_catalog.pg_class as class where class.relname = 'reconciliation_migrations' and class.relkind = 'r'
      ) as tables
  `;
  if (place === undefined) throw new Error('The database did not say which it is.');
  return place;
}

/** What psql is given; an administrator looks into "public" anyway. */
function rolesFor({ database, path }: Place): string {
  const first = ['', 'public'].includes(path) ? '' : `-c ${forShell(`set search_path = ${path}`)} `;
  return `-d ${databaseForPsql(database)} ${first}-f ${forShell(rolesFile)}`;
}

/** The role that the corrections have. The runs' own is never given the right to write into the ledger. */
export function howToCorrect(variable: UrlVariable): string {
  const groups = `recon_reader, recon_writer and recon_corrector (${rolesFile})`;
  return variable === 'CORRECTION_DATABASE_URL'
    ? `Let it be a member of ${groups}.`
    : `Name a login of its own in CORRECTION_DATABASE_URL, a member of ${groups}, also to propose a correction and for the dry run of one, which write and roll back; or correct nothing: RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY=false.`;
}

/** A name with other characters might be taken for a connection string (PostgreSQL, "psql", option -d). */
function databaseForPsql(name: string): string {
  return /^[\w-]+$/.test(name) ? name : forShell(`dbname='${name.replace(/['\\]/g, '\\$&')}'`);
}

/** Who is connected, as SQL writes it. */
export async function roleOf(transaction: Transaction): Promise<string> {
  const [row] = await transaction<{ role: string }[]>`select quote_ident(current_user) as role`;
  if (row === undefined) throw new Error('The database did not say who is connected.');
  return row.role;
}

/** Each `select, insert on reconciliation_reports`; none: empty. */
export interface OwnRights {
  /** What a run needs, and the role may not do. */
  missing: string[];
  /** What changes rows, and no run does, but the role may. */
  excess: string[];
  /** Whether the role may read every table of recon, and write none. */
  onlyReads: boolean;
}

/**
 * What the role may do to the tables of recon, held against what sql/roles.sql grants to recon_writer.
 * Of tables that are there: which are missing is asked of the migrations.
 */
export async function ownRights(transaction: Transaction, schema: string): Promise<OwnRights> {
  const tables = await comparedRights(transaction, schema);
  const missing = tables.flatMap(({ table, denied }) => rightsOn(table, denied));
  const excess = tables.flatMap(({ table, besides }) => rightsOn(table, besides));
  const onlyReads = tables.every(
    ({ privileges, denied }) => denied.join() === privileges.filter((privilege) => privilege !== 'select').join(),
  );
  const [signature] = await transaction<{ denied: boolean | null }[]>`
    select
      not has_function_privilege(to_regprocedure(format('%I.reconciliation_signature(text)', ${schema}::text)), 'execute')
        as denied
  `;
  if (signature?.denied === true) missing.push('execute on reconciliation_signature');
  return { missing, excess, onlyReads };
}

function rightsOn(table: string, privileges: readonly string[]): string[] {
  return privileges.length > 0 ? [`${privileges.join(', ')} on ${table}`] : [];
}

interface ComparedRights extends Grant {
  /** Of the privileges, in their order. */
  denied: string[];
  /** Of others that change rows; that on a single column counts. */
  besides: string[];
}

async function comparedRights(transaction: Transaction, schema: string): Promise<ComparedRights[]> {
  const rights: ComparedRights[] = [];
  for (const { table, privileges } of writerGrants()) {
    const [row] = await transaction<Pick<ComparedRights, 'denied' | 'besides'>[]>`
      select
        array(
          select privilege.name
          from unnest(${privileges}::text[]) with ordinality as privilege (name, place)
          where not has_table_privilege(class.oid, privilege.name)
          order by privilege.place
        ) as denied,
        array(
          select privilege.name
          from unnest(array['insert', 'update', 'delete', 'truncate']) with ordinality as privilege (name, place)
          where
            privilege.name <> all (${privileges}::text[])
            and case
              when privilege.name in ('insert', 'update') then has_any_column_privilege(class.oid, privilege.name)
              else has_table_privilege(class.oid, privilege.name)
            end
          order by privilege.place
        ) as besides
      from pg_catalog.pg_class as class
      where class.oid = to_regclass(format('%I.%I', ${schema}::text, ${table}::text))
    `;
    if (row !== undefined) rights.push({ table, privileges, ...row });
  }
  return rights;
}

interface Grant {
  table: string;
  privileges: string[];
}

/** One `grant … on <table> to recon_writer;` of the file. */
function writerGrants(): Grant[] {
  const grants = readFileSync(rolesFile, 'utf8').matchAll(
    /^grant ([a-z, ]+) on (reconciliation_\w+) to recon_writer;$/gm,
  );
  return Array.from(grants, ([, privileges = '', table = '']) => ({ table, privileges: privileges.split(', ') }));
}
