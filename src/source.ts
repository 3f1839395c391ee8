import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Parameter } from './database/database.ts';
import { OperatorError } from './operator-error.ts';
import { shipped } from './shipped.ts';

/**
 * The host's tables seen through a mapping: for each relation of this list, one file of the source's folder holds the
 * one `select` that makes it (README, "Your own tables"). A check never names a host table; it names these.
 */
export const relations = {
  ledger_accounts: {
    id: 'uuid',
    user_id: 'uuid',
    account_type: 'text',
    currency: 'text',
    balance: 'numeric',
    normal_side: 'text',
    opening_balance: 'numeric',
  },
  ledger_transactions: {
    id: 'uuid',
    user_id: 'uuid',
    transaction_type: 'text',
    reference_id: 'uuid',
    reference_type: 'text',
    status: 'text',
    idempotency_key: 'text',
    record_kind: 'text',
    expects_record: 'boolean',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
    completed_at: 'timestamptz',
  },
  ledger_entries: {
    id: 'uuid',
    transaction_id: 'uuid',
    account_id: 'uuid',
    entry_type: 'text',
    amount: 'numeric',
    currency: 'text',
    created_at: 'timestamptz',
  },
  record_legs: { record_kind: 'text', leg: 'text', entry_type: 'text', only_users: 'boolean' },
  deposits: {
    id: 'uuid',
    user_id: 'uuid',
    amount: 'numeric',
    currency: 'text',
    state: 'text',
    status: 'text',
    settled_at: 'timestamptz',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  withdrawals: {
    id: 'uuid',
    user_id: 'uuid',
    amount: 'numeric',
    currency: 'text',
    state: 'text',
    status: 'text',
    settled_at: 'timestamptz',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  conversion_jobs: {
    id: 'uuid',
    direction: 'text',
    source_amount: 'numeric',
    source_currency: 'text',
    destination_amount: 'numeric',
    destination_currency: 'text',
    rate: 'numeric',
    fees: 'numeric',
    ledger_transaction_id: 'uuid',
    state: 'text',
    status: 'text',
    settled_at: 'timestamptz',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  recent_records: { record_kind: 'text', record_id: 'uuid' },
  custody_accounts: { custodian: 'text', external_id: 'text', user_id: 'uuid' },
  custody_positions: { custodian: 'text', currency: 'text', user_id: 'uuid', expected: 'numeric' },
  custody_movements: {
    custodian: 'text',
    currency: 'text',
    user_id: 'uuid',
    transaction_id: 'uuid',
    amount: 'numeric',
    status: 'text',
    created_at: 'timestamptz',
  },
} as const;

export type Relation = keyof typeof relations;

/** The same few parameters for every statement: as a CTE they are named and typed once, whether it uses them or not. */
export interface Params {
  /** The moment of the cut (RFC 3339): no check asks for the time itself. */
  as_of: string;
  /** ISO 8601 or PostgreSQL interval text, e.g. `300 seconds`. */
  grace_period: string;
  deadline: string;
  entries_per_transaction: number | null;
  /** Half-open window [since, until) and user that a manual run may be narrowed to. */
  since: string | null;
  until: string | null;
  user_id: string | null;
  record_kind: string | null;
  custodian: string | null;
  /** What is under way at the custodian: exact decimal text. */
  amounts: string[];
  /** Which subjects are looked at; null: all of them. */
  transactions: string[] | null;
  accounts: string[] | null;
  records: string[] | null;
  entries: string[] | null;
  /** Of the hashes of this run's proofs. */
  seed: string;
  /** The record kinds that are booked on their users' accounts only. */
  kinds_with_user: string[];
}

const paramTypes: Record<keyof Params, string> = {
  as_of: 'timestamptz',
  grace_period: 'interval',
  deadline: 'interval',
  entries_per_transaction: 'integer',
  since: 'timestamptz',
  until: 'timestamptz',
  user_id: 'uuid',
  record_kind: 'text',
  custodian: 'text',
  amounts: 'numeric[]',
  transactions: 'uuid[]',
  accounts: 'uuid[]',
  records: 'uuid[]',
  entries: 'uuid[]',
  seed: 'bigint',
  kinds_with_user: 'text[]',
};

const paramNames = Object.keys(paramTypes) as (keyof Params)[];

/** The values for the placeholders of a composed statement, in their order. */
export function bind(params: Params): Parameter[] {
  return paramNames.map((name) =>
    /^(uuid|numeric)\[\]$/.test(paramTypes[name]) ? asText(params[name]) : params[name],
  );
}

/** A list as one text: the driver would quote each of 100,000 ids by itself. */
function asText(list: Params[keyof Params]): Parameter {
  return Array.isArray(list) ? `{${list.join(',')}}` : list;
}

/** A statement of a check: the relations that it reads, the files laid over them, and the one that answers. */
export interface Statement {
  relations: readonly Relation[];
  /** Files of sql/checks that become CTEs, in order. */
  layers: readonly Layer[];
  /** The file of sql/checks with the final `select`; of another folder of sql, with its name before a slash. */
  file: string;
}

/** A CTE of a statement. */
export interface Layer {
  /** What the files after it call it. */
  name: string;
  file: string;
  /** Worked out once where a statement uses it several times; else the planner sees through it at each use. */
  shared?: true;
}

/** A folder of relation files. */
export interface Source {
  readonly name: string;
  readonly folder: string;
}

const sqlFolder = fileURLToPath(shipped('sql/'));
const firstHost = join(sqlFolder, 'source/stack_service');

/**
 * Finds the folder that `RECONCILIATION_SOURCE` names: a name under sql/source, or a path. Throws an OperatorError
 * (78) if it is not there or lacks a relation.
 */
export function openSource(nameOrPath: string): Source {
  const folder = isShipped({ name: nameOrPath })
    ? join(sqlFolder, 'source', nameOrPath)
    : isAbsolute(nameOrPath)
      ? nameOrPath
      : resolve(nameOrPath);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new OperatorError(
      78,
      `RECONCILIATION_SOURCE names a folder that does not exist: ${folder}.`,
      `Copy ${firstHost}, change its files, and give the path of the copy, with a slash in it: ./mapping.`,
    );
  const missing = Object.keys(relations).filter((relation) => !existsSync(join(folder, `${relation}.sql`)));
  if (missing.length > 0)
    throw new OperatorError(
      78,
      `The source folder ${folder} lacks ${missing.map((relation) => `${relation}.sql`).join(', ')}.`,
      `Every relation needs its file; ${firstHost} shows what each returns.`,
    );
  assertSelects(folder);
  return { name: nameOrPath, folder };
}

/** Whether it came with recon, or is a copy of yours: what is no plain word is a path. */
export function isShipped({ name }: Pick<Source, 'name'>): boolean {
  return /^[\w-]+$/.test(name);
}

/** The hash of a mapping and of the SQL of the checks: what was seen by others is not known. */
export function identityOf(source: Source): string {
  const hash = createHash('sha256');
  for (const relation of Object.keys(relations) as Relation[]) hash.update(readRelation(source, relation));
  for (const file of readdirSync(join(sqlFolder, 'checks')).sort()) hash.update(readStatementFile(file));
  return hash.digest('hex');
}

function assertSelects(folder: string): void {
  const files = Object.keys(relations).map((relation) => join(folder, `${relation}.sql`));
  const empty = files.filter((file) => withoutComments(readFileSync(file, 'utf8')) === '');
  if (empty.length > 0)
    throw new OperatorError(
      78,
      `${empty.join(', ')}: holds no select.`,
      `Each file is one select without a semicolon; ${firstHost} shows what each returns.`,
    );
}

function withoutComments(text: string): string {
  return text.replace(/--[^\n]*|\/\*[^]*?\*\//g, '').trim();
}

/** The whole statement with `$1`, `$2` … for `bind`. */
export function compose(source: Source, statement: Statement): string {
  return composeWith(source, statement, placeholders(), answerOf(statement));
}

/** One row of one relation by itself, one of those that `condition` (our own SQL) lets through; also for `bind`. */
export function composeRelation(source: Source, relation: Relation, condition = 'true'): string {
  return composeAnswer(source, relation, `select * from ${relation} where ${condition} limit 1`);
}

/** A `select` of our own from one relation; also for `bind`. */
export function composeAnswer(source: Source, relation: Relation, answer: string): string {
  return composeWith(source, { relations: [relation], layers: [] }, placeholders(), answer);
}

function placeholders(): string[] {
  return paramNames.map((name, index) => `$${index + 1}::${paramTypes[name]} as ${name}`);
}

function answerOf({ file }: Statement): string {
  return `select * from (\n${readStatementFile(file)}\n) as answer`;
}

/** The same statement for psql, with the values written out. They come from configuration, never from data. */
export function composeForReading(source: Source, statement: Statement, params: Params): string {
  const fields = paramNames.map((name) => `${literal(params[name])}::${paramTypes[name]} as ${name}`);
  return `${composeWith(source, statement, fields, answerOf(statement))};\n`;
}

/** A statement for psql under its title, which comes before its rows too: psql prints one table after the other. */
export function titled(title: string, statement: string): string {
  return `-- ${title}\nselect ${literal(title)} as answer;\n${statement}\n`;
}

function literal(value: Params[keyof Params]): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : `{${value.join(',')}}`; // uuids and names of ours need no quotes
  return `'${text.replaceAll("'", "''")}'`;
}

/** The one relation whose file names a parameter: only the host knows which of its indexes finds what came since. */
const parameterized: Relation = 'recent_records';

/**
 * The mapped relations come first and under other names, so that a relation's file sees the host's tables even where
 * one has the name of a relation. They are never materialized: the planner sees through them to the tables.
 */
function composeWith(
  source: Source,
  statement: Omit<Statement, 'file'>,
  paramFields: string[],
  finalSelect: string,
): string {
  const mapping = (relation: Relation) => inlined(`mapped_${relation}`, readRelation(source, relation));
  const mapped = statement.relations.filter((relation) => relation !== parameterized).map(mapping);
  const mappedLast = statement.relations.filter((relation) => relation === parameterized).map(mapping);
  const named = statement.relations.map((relation) =>
    inlined(relation, `select ${Object.keys(relations[relation]).join(', ')} from mapped_${relation}`),
  );
  const params = inlined('params', `select\n  ${paramFields.join(',\n  ')}`);
  const layers = statement.layers.map(({ name, file, shared }) =>
    shared === true ? `${name} as (\n${readStatementFile(file)}\n)` : inlined(name, readStatementFile(file)),
  );
  return `with\n${[...mapped, params, ...mappedLast, ...named, ...layers].join(',\n')}\n${finalSelect}`;
}

function inlined(name: string, text: string): string {
  return `${name} as not materialized (\n${text}\n)`;
}

/** The one `select` that makes a relation. An editor's habit of ending it with a semicolon is forgiven. */
function readRelation(source: Source, relation: Relation): string {
  const text = readFileSync(join(source.folder, `${relation}.sql`), 'utf8').trimEnd();
  return text.replace(/;(?=(?:\s|--[^\n]*(?:\n|$))*$)/, '');
}

function readStatementFile(file: string): string {
  return readFileSync(join(sqlFolder, file.includes('/') ? '' : 'checks', file), 'utf8').trimEnd();
}
