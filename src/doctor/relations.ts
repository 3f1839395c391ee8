import { join } from 'node:path';
import { whyIncomplete } from '../run/cut.ts';
import { columnsOf, inSavepoint, type Transaction } from '../database/database.ts';
import { withPlace } from '../run/mapping-problem.ts';
import { bind, composeRelation, relations, type Relation } from '../source.ts';
import type { Cut } from '../checks/check.ts';
import { ok, problem, type DatabasePatient, type Examination, type Opinion } from './examination.ts';
import { look } from './look.ts';

/** That every relation of the mapping can be read, and has the columns and types that the checks take for granted. */
export const mappedRelations: Examination<DatabasePatient> = {
  topic: 'source',
  async examine(patient) {
    const wrong = await look(patient, async (cut) => {
      const opinions: Opinion[] = [];
      for (const relation of Object.keys(relations) as Relation[])
        opinions.push(
          ...(await inSavepoint(cut.transaction, (transaction) => inspect({ ...cut, transaction }, relation)).catch(
            (error: unknown) => [unreadable(cut, relation, error)],
          )),
        );
      return opinions;
    });
    return wrong.length > 0
      ? wrong
      : [ok(`${Object.keys(relations).length} relations can be read and have the right columns.`)];
  },
};

async function inspect({ transaction, source, params }: Cut, relation: Relation): Promise<Opinion[]> {
  const columns = await columnsOf(transaction, composeRelation(source, relation), bind(params));
  const types = await namesOfTypes(
    transaction,
    columns.map(({ type }) => type),
  );
  const expected: Record<string, string> = relations[relation];
  const wrong = columns.filter(({ name, type }) => types.get(type) !== expected[name]);
  return wrong.map(({ name, type }) =>
    problem(
      `${relation}.${name} is ${types.get(type) ?? 'of an unknown type'}, not ${expected[name] ?? ''}.`,
      `Cast it in ${join(source.folder, `${relation}.sql`)}.`,
    ),
  );
}

/** By object identifier, in the words of the mapping. */
async function namesOfTypes(transaction: Transaction, identifiers: number[]): Promise<Map<number, string>> {
  const rows = await transaction<{ oid: number; name: string }[]>`
    select
      type.oid::integer as oid,
      case type.typname when 'bool' then 'boolean' else type.typname end as name
    from pg_catalog.pg_type as type
    where type.oid = any (${identifiers}::integer[]::oid[])
  `;
  return new Map(rows.map(({ oid, name }) => [oid, name]));
}

function unreadable({ source }: Cut, relation: Relation, error: unknown): Opinion {
  const reason = whyIncomplete(error);
  if (reason === undefined) throw error;
  const told = withPlace(reason, error, source).message;
  return problem(
    `${relation}: ${told}`,
    'Copy the folder of the mapping, change that file, and set RECONCILIATION_SOURCE; for a missing right: sql/roles.sql.',
  );
}
