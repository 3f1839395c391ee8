import { query } from '../database/database.ts';
import { bind, compose, type Params, type Statement } from '../source.ts';
import type { Cut } from './check.ts';

/** Which subjects a proof leaves to be looked at one by one; null: all of them, because a proof would not pay. */
export type Suspects = Pick<Params, 'transactions' | 'accounts' | 'records'> | null;

/** More suspects than this are not worth a list: whatever broke, broke most of it, and everything is looked at. */
const suspectsLimit = 200_000;

/** Ids that a statement lists, or undefined where there are too many for a list. */
export async function list(cut: Cut, statement: Statement, part: Partial<Params> = {}): Promise<string[] | undefined> {
  // as one text: 100,000 rows would be as many objects
  const text = `select array_to_string(array(${limited(compose(cut.source, statement))}), ',') as ids`;
  const [row] = await query<{ ids: string }>(cut.transaction, text, bind({ ...cut.params, ...part }));
  const ids = row === undefined || row.ids === '' ? [] : row.ids.split(',');
  return ids.length > suspectsLimit ? undefined : ids;
}

/**
 * A statement that stops after one row more than a list may have. Materialized, because else the planner reads an index
 * in its order, for the sake of a limit that is hardly ever reached.
 */
function limited(statement: string): string {
  return `with listed as materialized (\n${statement}\n)\nselect * from listed limit ${suspectsLimit + 1}`;
}

/**
 * Whether the joins of a statement add no row, because PostgreSQL leaves them out of its plan: it does so where a
 * unique index proves it (PostgreSQL, src/backend/optimizer/plan/analyzejoins.c). False: nobody knows.
 */
export async function addsNothing(cut: Cut, statement: Statement): Promise<boolean> {
  const text = `explain (format json, costs off) ${compose(cut.source, statement)}`;
  const [row] = await query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(cut.transaction, text, bind(cut.params));
  const leaves = row === undefined ? [] : leavesOf(row['QUERY PLAN'][0].Plan);
  return leaves.length === 1 && leaves[0]?.['Relation Name'] !== undefined;
}

interface PlanNode {
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

function leavesOf(node: PlanNode): PlanNode[] {
  return node.Plans === undefined ? [node] : node.Plans.flatMap(leavesOf);
}

/** The union of lists; undefined as soon as one is too long, or all together are. */
export function union(lists: readonly (readonly string[] | undefined)[]): string[] | undefined {
  const ids = new Set<string>();
  for (const each of lists) {
    if (each === undefined) return undefined;
    for (const id of each) ids.add(id);
  }
  return ids.size > suspectsLimit ? undefined : [...ids];
}

const familyStatement: Statement = { relations: ['ledger_transactions'], layers: [], file: 'family.sql' };
export const familyStatements = { family: familyStatement };

/** These transactions and all that are judged together with them: a reversal and what it reverses. */
export async function withFamilies(cut: Cut, ids: string[]): Promise<string[] | undefined> {
  let members: string[] | undefined = ids;
  let size = -1;
  while (members !== undefined && members.length > size && members.length > 0) {
    size = members.length;
    members = union([members, await list(cut, familyStatement, { transactions: members })]);
  }
  return members;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The ids of the known subjects of one type: `deposit:<id>`, `transaction:<id>`, `account:<id>`. What is no id, such as
 * `deposit:null` or what was adopted from the first version, cannot be asked for.
 */
export function idsOf(subjects: readonly string[], type: string): string[] {
  const named = subjects.filter((subject) => subject.startsWith(`${type}:`));
  return named.map((subject) => subject.slice(type.length + 1)).filter((id) => uuid.test(id));
}
