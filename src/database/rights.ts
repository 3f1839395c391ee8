import { readFileSync } from 'node:fs';
import { rolesFile } from '../shipped.ts';
import type { Database, Transaction } from './database.ts';

/** What a database administrator types; `role` as SQL writes it, `schema` where recon's tables have one of their own. */
export function howToGrant(role: string, schema: string | undefined): string {
  const path = schema === undefined ? '' : `-c 'set search_path = ${schema}, public' `;
  return `As a database administrator: psql -v ON_ERROR_STOP=1 ${path}-f ${rolesFile}, and then: grant recon_reader, recon_writer to ${role};`;
}

/** Who is connected, as SQL writes it. */
export async function roleOf(connection: Database | Transaction): Promise<string> {
  const [row] = await connection<{ role: string }[]>`select quote_ident(current_user) as role`;
  if (row === undefined) throw new Error('The database did not say who is connected.');
  return row.role;
}

/**
 * What sql/roles.sql grants to recon_writer on the tables of recon, and the role of this connection may not do: `select,
 * insert on reconciliation_reports`. Of tables that are there: which are missing is asked of the migrations.
 */
export async function missingRights(database: Database, schema: string): Promise<string[]> {
  const missing: string[] = [];
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
    if (row !== undefined && row.denied.length > 0) missing.push(`${row.denied.join(', ')} on ${table}`);
  }
  const [signature] = await database<{ denied: boolean | null }[]>`
    select
      not has_function_privilege(to_regprocedure(format('%I.reconciliation_signature(text)', ${schema}::text)), 'execute')
        as denied
  `;
  return signature?.denied === true ? [...missing, 'execute on reconciliation_signature'] : missing;
}

/** One `grant … on <table> to recon_writer;` of the file. */
function writerGrants(): { table: string; privileges: string[] }[] {
  const grants = readFileSync(rolesFile, 'utf8').matchAll(
    /^grant ([a-z, ]+) on (reconciliation_\w+) to recon_writer;$/gm,
  );
  return Array.from(grants, ([, privileges = '', table = '']) => ({ table, privileges: privileges.split(', ') }));
}
