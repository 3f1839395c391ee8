import type { Cut } from '../checks/check.ts';
import { query, type Transaction } from '../database/database.ts';
import { bind, composeRelation, relations, type Relation } from '../source.ts';
import { ok, warning, type DatabasePatient, type Examination, type Opinion } from './examination.ts';
import { look } from './look.ts';

/** What an hourly run looks things up by, in the columns of the mapping. */
const lookups: readonly [relation: Relation, columns: readonly string[]][] = [
  ['ledger_transactions', ['id']],
  ['ledger_transactions', ['reference_id']],
  ['ledger_transactions', ['created_at']],
  ['ledger_entries', ['transaction_id']],
  ['ledger_entries', ['created_at']],
  ['ledger_entries', ['account_id', 'created_at']],
  ['ledger_accounts', ['id']],
  ['ledger_accounts', ['user_id']],
  ['deposits', ['id']],
  ['withdrawals', ['id']],
  ['conversion_jobs', ['id']],
  ['recent_records', []], // its file asks for what came since by itself
];

/**
 * That each lookup finds its rows by an index. PostgreSQL is asked for its plan, so this holds for any mapping: a table
 * that it would read from end to end, though told to avoid that, has no index that fits.
 */
export const indexes: Examination<DatabasePatient> = {
  topic: 'indexes',
  async examine(patient) {
    const scans = await look(patient, async (cut) => {
      await cut.transaction`set local enable_seqscan = off`;
      const found: Scan[] = [];
      for (const [relation, columns] of lookups) found.push(...(await scansOf(cut, relation, columns)));
      return describeAll(cut.transaction, found);
    });
    return scans.length > 0 ? scans : [ok('Every lookup of an hourly run has its index.')];
  },
};

/** A table that is read from end to end. */
interface Scan {
  schema: string;
  table: string;
  filter: string;
}

/** A node of `explain (format json, verbose)`. */
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  Filter?: string;
  Plans?: PlanNode[];
}

async function scansOf({ transaction, source, params }: Cut, relation: Relation, columns: readonly string[]) {
  const statement = composeRelation(source, relation, conditionOn(relation, columns));
  const rows = await query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    transaction,
    `explain (format json, verbose) ${statement}`,
    bind({ ...params, since: params.as_of }),
  );
  return rows.flatMap((row) => wholeReads(row['QUERY PLAN'][0].Plan));
}

function conditionOn(relation: Relation, columns: readonly string[]): string {
  const types: Record<string, string> = relations[relation];
  const conditions = columns.map((column) =>
    types[column] === 'uuid'
      ? `${column} = '00000000-0000-0000-0000-000000000000'::uuid`
      : `${column} >= (select params.as_of from params)`,
  );
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

function wholeReads(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(wholeReads);
  const { 'Relation Name': table, Schema: schema, Filter: filter } = node;
  if (node['Node Type'] !== 'Seq Scan' || table === undefined || schema === undefined) return below;
  return [...below, { schema, table, filter: filter ?? '' }];
}

async function describeAll(transaction: Transaction, scans: readonly Scan[]): Promise<Opinion[]> {
  const opinions: Opinion[] = [];
  for (const scan of scans) opinions.push(describe(scan, await sizeOf(transaction, scan)));
  return opinions;
}

interface Size {
  name: string;
  rows: string;
  size: string;
}

async function sizeOf(transaction: Transaction, { schema, table }: Scan): Promise<Size> {
  const [row] = await transaction<Size[]>`
    select
      format('%I.%I', namespace.nspname, class.relname) as name,
      greatest(class.reltuples, 0)::bigint as rows,
      pg_size_pretty(pg_table_size(class.oid)) as size
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname = ${schema} and class.relname = ${table}
  `;
  if (row === undefined) throw new Error(`The plan names a table that is not there: ${schema}.${table}.`);
  return row;
}

function describe({ filter }: Scan, { name, rows, size }: Size): Opinion {
  // the planner sorts the conditions by their cost; in an index those that compare for equality come first
  const conditions = [...filter.matchAll(/\((?:"?\w+"?\.)?("[^"]+"|\w+) (=|>=) /g)];
  const columns = ['=', '>='].flatMap((operator) =>
    conditions.filter((condition) => condition[2] === operator).map((condition) => condition[1] ?? ''),
  );
  const told = `An hourly run reads all of ${name} (about ${rows} rows, ${size}) for want of an index`;
  return columns.length > 0
    ? warning(`${told} on (${columns.join(', ')}).`, `create index concurrently on ${name} (${columns.join(', ')});`)
    : warning(`${told} for ${filter === '' ? 'what the mapping asks' : filter}.`, 'Look at the file of the mapping.');
}
