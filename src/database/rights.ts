import { readFileSync } from 'node:fs';
import { rolesFile } from '../shipped.ts';
import type { Database, Transaction } from './database.ts';

/** What a database administrator types; `role` and `schema`, where recon's tables are, as SQL writes them. */
export function howToGrant(role: string, schema = 'public'): string {
  const path = schema === 'public' ? '' : `-c 'set search_path = ${schema}, public' `;
  return `As a database administrator: psql -v ON_ERROR_STOP=1 ${path}-f ${rolesFile}, and then: grant recon_reader, recon_writer to ${role}; -- only to look: recon_reader`;
}

/** Who is connected, as SQL writes it. */
export async function roleOf(connection: Database | Transaction): Promise<string> {
  const [row] = await connection<{ role: string }[]>`select quote_ident(current_user) as role`;
  if (row === undefined) throw new Error('The database did not say who is connected.');
  return row.role;
}

export interface MissingRights {
  /** `select, insert on reconciliation_reports`; empty: none. */
  missing: string[];
  /** Whether the role may read every table of recon, and write none. */
  onlyReads: boolean;
}

/**
 * What sql/roles.sql grants to recon_writer on the tables of recon, and the role of this connection may not do. Of
 * tables that are there: which are missing is asked of the migrations.
 */
export async function missingRights(database: Database, schema: string): Promise<MissingRights> {
  const tables = await deniedRights(database, schema);
  const missing = tables
    .filter(({ denied }) => denied.length > 0)
    .map(({ table, denied }) => `${denied.join(', ')} on ${table}`);
  const onlyReads = tables.every(
    ({ privileges, denied }) => denied.join() === privileges.filter((privilege) => privilege !== 'select').join(),
  );
  const [signature] = await database<{ denied: boolean | null }[]>`
    select
      not has_function_privilege(to_regprocedure(format('%I.reconciliation_signature(text)', ${schema}::text)), 'execute')
        as denied
  `;
  if (signature?.denied === true) missing.push('execute on reconciliation_signature');
  return { missing, onlyReads };
}

interface DeniedRights extends Grant {
  /** Of the privileges, in their order. */
  denied: string[];
}

async function deniedRights(database: Database, schema: string): Promise<DeniedRights[]> {
  const rights: DeniedRights[] = [];
  for (const { table, privileges } of writerGrants()) {
    const [row] = await database<{ denied: string[] }[]>`
      select
        array(
          select privilege.name
          from unnest(${privileges}::text[]) with ordinality as privilege (name, place)
          where not has_table_privilege(class.oid, privilege.name)
          order by privilege.place
        ) as denied
      from pg_catalog.pg_class as class
      where class.oid = to_regclass(format('%I.%I', ${schema}::text, ${table}::text))
    `;
    if (row !== undefined) rights.push({ table, privileges, denied: row.denied });
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
