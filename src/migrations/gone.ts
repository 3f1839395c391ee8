import type { Transaction } from '../database/database.ts';
import { OperatorError } from '../operator-error.ts';
import { recovery } from '../shipped.ts';
import type { Migration } from './files.ts';

/** Tables, and columns of those that are there, which these migrations made in that schema and nobody finds any more. */
export async function whatIsGone(
  transaction: Transaction,
  schema: string,
  applied: readonly Migration[],
): Promise<string[]> {
  const rows = await transaction<{ table: string; columns: string[] }[]>`
    select
      class.relname as table,
      array(
        select attribute.attname::text
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
      ) as columns
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname = ${schema} and class.relkind in ('r', 'p') and class.relname like 'reconciliation\\_%'
  `;
  const there = new Map(rows.map(({ table, columns }) => [table, columns]));
  return [...columnsAfter(applied)].flatMap(([table, columns]) => {
    const found = there.get(table);
    if (found === undefined) return [table];
    return [...columns].filter((column) => !found.includes(column)).map((column) => `${table}.${column}`);
  });
}

/** The columns of each table, read from the files: a list beside them would be another one to keep. */
export function columnsAfter(migrations: readonly Pick<Migration, 'up'>[]): Map<string, Set<string>> {
  const tables = new Map<string, Set<string>>();
  for (const { up } of migrations) {
    for (const [, table = '', body = ''] of up.matchAll(/^create table (?:if not exists )?(\w+) \(\n(.*?)^\);/gms))
      tables.set(table, new Set(namesIn(body, /^ {2}(?!(?:constraint|primary|unique|check|foreign)\b)(\w+) /gm)));
    for (const [, table = '', changes = ''] of up.matchAll(/^alter table (\w+)(.*?);$/gms))
      tables.set(table, changed(tables.get(table), changes));
  }
  return tables;
}

function changed(columns: Iterable<string> = [], changes: string): Set<string> {
  const gone = namesIn(changes, /(?:rename|drop) column (\w+)/g);
  const added = namesIn(changes, /(?:rename column \w+ to|add column) (\w+)/g);
  return new Set([...columns, ...added].filter((column) => !gone.includes(column)));
}

function namesIn(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, name = '']) => name);
}

/** Throws an OperatorError (78) that names what is gone. */
export function assertNothingGone({ schema, gone }: { schema: string; gone: readonly string[] }): void {
  if (gone.length > 0) throw new OperatorError(78, goneSentence(schema, gone), howToBringBack);
}

export function goneSentence(schema: string, gone: readonly string[]): string {
  return `The schema ${schema} lacks what its migrations made: ${gone.join(', ')}.`;
}

export const howToBringBack = `Bring it back from a backup (${recovery}); without one, by its statements in sql/migrations, as a database administrator.`;
