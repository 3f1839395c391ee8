import { join } from 'node:path';
import type { Check, Cut } from '../checks/check.ts';
import { checks } from '../checks/index.ts';
import type { CheckName } from '../checks/names.ts';
import { columnsOf, type Transaction } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { bind, composeRelation, relations, type Relation } from '../source.ts';

/** What these checks read, in the order of the mapping. */
export function relationsOf(names: readonly CheckName[]): Relation[] {
  const read = names.flatMap((name) =>
    Object.values(checks[name].statements).flatMap((statement) => statement.relations),
  );
  return (Object.keys(relations) as Relation[]).filter((relation) => read.includes(relation));
}

/**
 * Throws `Incomplete` (78) where a column that the check reads has another type than it takes for granted: a time without
 * a zone, or an amount in floating point, compares without an error, and wrongly.
 */
export async function assertTypes(cut: Cut, check: Check): Promise<void> {
  for (const relation of check.relations) {
    const [wrong] = await cut.shared.once(wrongTypesOf, () => wrongTypesOf(cut, relation), relation);
    if (wrong === undefined) continue;
    throw new Incomplete(`${wrong} The mapping is ${join(cut.source.folder, `${relation}.sql`)}.`, 78);
  }
}

/** A sentence for each column of the relation whose type is another one. No row is read for it. */
export async function wrongTypesOf({ transaction, source, params }: Cut, relation: Relation): Promise<string[]> {
  const columns = await columnsOf(transaction, composeRelation(source, relation, 'false'), bind(params));
  const types = await namesOfTypes(
    transaction,
    columns.map(({ type }) => type),
  );
  const expected: Record<string, string> = relations[relation];
  return columns
    .filter(({ name, type }) => types.get(type) !== expected[name])
    .map(
      ({ name, type }) =>
        `${relation}.${name} is ${types.get(type) ?? 'of an unknown type'}, not ${expected[name] ?? ''}.`,
    );
}

/** By object identifier, in the words of the mapping. */
async function namesOfTypes(transaction: Transaction, identifiers: number[]): Promise<Map<number, string>> {
  const rows = await transaction<{ oid: number; name: string }[]>`
    select
      type.oid::integer as oid,
      -- a varchar compares as a text does
      case type.typname when 'bool' then 'boolean' when 'varchar' then 'text' else type.typname end as name
    from pg_catalog.pg_type as type
    where type.oid = any (${identifiers}::integer[]::oid[])
  `;
  return new Map(rows.map(({ oid, name }) => [oid, name]));
}
