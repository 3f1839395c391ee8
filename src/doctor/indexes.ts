import type { Cut } from '../checks/check.ts';
import { query, type Transaction } from '../database/database.ts';
import { relationsOf } from '../run/mapping-types.ts';
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
 * that it would read from end to end, though told to avoid that, has no index that fits. Nor has one of which it would
 * read a whole index, because what is looked up is not the index's first column.
 */
export const indexes: Examination<DatabasePatient> = {
  topic: 'indexes',
  after: 'source',
  async examine(patient) {
    const read = relationsOf(patient.config.checks);
    const scans = await look(patient, async (cut) => {
      await cut.transaction`set local enable_seqscan = off`;
      const found: Scan[] = [];
      for (const [relation, columns] of lookups)
        if (read.includes(relation)) found.push(...(await scansOf(cut, relation, columns)));
      return describeAll(cut.transaction, found);
    });
    return scans.length > 0 ? scans : [ok('Every lookup of an hourly run has its index.')];
  },
};

/** A read of a table: from end to end, or through an index. */
interface Scan {
  schema: string;
  table: string;
  /** Null: from end to end. */
  index: string | null;
  /** By what its rows are chosen. */
  condition: string;
}

/** A node of `explain (format json, verbose)`. */
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  Filter?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

async function scansOf({ transaction, source, params }: Cut, relation: Relation, columns: readonly string[]) {
  const statement = composeRelation(source, relation, conditionOn(relation, columns));
  const rows = await query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    transaction,
    `explain (format json, verbose) ${statement}`,
    bind({ ...params, since: params.as_of }),
  );
  const scans: Scan[] = [];
  for (const scan of rows.flatMap((row) => readsOf(row['QUERY PLAN'][0].Plan)))
    if (!(await hasIndex(transaction, scan))) scans.push(scan);
  return scans;
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

/** A bitmap of an index is below the read of its table, which alone names the table. */
function readsOf(node: PlanNode, above?: PlanNode): Scan[] {
  const named = node['Relation Name'] === undefined ? above : node;
  const below = (node.Plans ?? []).flatMap((child) => readsOf(child, named));
  const { 'Relation Name': table, Schema: schema } = named ?? {};
  const { 'Index Name': index = null, 'Index Cond': condition = '', Filter: filter = '' } = node;
  if (table === undefined || schema === undefined || (index === null && node['Node Type'] !== 'Seq Scan')) return below;
  return [...below, { schema, table, index, condition: index === null ? filter : condition }];
}

/**
 * Whether the table has an index that begins with a column that is looked up: of a small table PostgreSQL may choose
 * another. What it chose by an expression fits.
 */
async function hasIndex(transaction: Transaction, { schema, table, index, condition }: Scan): Promise<boolean> {
  if (index === null) return false;
  const indexed = await transaction<{ name: string; leading: string | null }[]>`
    select class.relname as name, quote_ident(attribute.attname) as leading
    from pg_catalog.pg_index as index
    inner join pg_catalog.pg_class as class on class.oid = index.indexrelid
    left join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0] and attribute.attnum <> 0
    where
      index.indrelid = format('%I.%I', ${schema}::text, ${table}::text)::regclass
      and index.indisvalid
      and (index.indpred is null or class.relname = ${index})
    order by class.relname
  `;
  const columns = comparisonsIn(condition).map(({ column }) => column);
  return indexed.some(({ name, leading }) => (leading === null ? name === index : columns.includes(leading)));
}

function comparisonsIn(condition: string): { column: string; operator: string }[] {
  const found = condition.matchAll(/\((?:(?:"[^"]+"|\w+)\.)?("[^"]+"|\w+) (=|>=|>|<|<=) /g);
  return [...found].map(([, column = '', operator = '']) => ({ column, operator }));
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

function describe({ condition }: Scan, { name, rows, size }: Size): Opinion {
  // the planner sorts the conditions by their cost; in an index those that compare for equality come first
  const comparisons = comparisonsIn(condition);
  const equal = comparisons.filter(({ operator }) => operator === '=');
  const columns = [...equal, ...comparisons.filter((comparison) => !equal.includes(comparison))]
    .map(({ column }) => column)
    .join(', ');
  const told = `An hourly run reads all of ${name} (about ${rows} rows, ${size}) for want of an index`;
  return columns !== ''
    ? warning(`${told} on (${columns}).`, `\`create index concurrently on ${name} (${columns});\``)
    : warning(
        `${told} for ${condition === '' ? 'what the mapping asks' : condition}.`,
        'Look at the file of the mapping.',
      );
}
