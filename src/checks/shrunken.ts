import { query } from '../database/database.ts';
import { tooFew } from '../incomplete.ts';
import { bind, compose, composeRelation, type Params, type Relation, type Statement } from '../source.ts';
import type { Cut, Window } from './check.ts';
import { list } from './proof.ts';

/**
 * Whether one of these tables has no row at all, though the last complete run compared something: an hourly run, which
 * would find nothing new in it, then looks at everything.
 */
export async function isEmptied(cut: Cut, window: Window, relations: readonly Relation[]): Promise<boolean> {
  if (window.compared === undefined || window.compared === 0) return false;
  for (const relation of relations) {
    const rows = await query(cut.transaction, composeRelation(cut.source, relation), bind(cut.params));
    if (rows.length === 0) return true;
  }
  return false;
}

/** What is remembered of a table, and how it is asked for. */
interface Remembered {
  /** Which of them are still there. */
  present: Statement;
  /** How many `records` there are in all. */
  count: Statement;
  asked: Pick<Params, 'records'> | Pick<Params, 'transactions' | 'accounts'>;
}

/** Where most of what is remembered is gone, the whole is counted, and held to what a run goes by that looks at everything. */
export async function assertNotShrunken(
  cut: Cut,
  window: Window,
  { present, count, asked }: Remembered,
): Promise<void> {
  const ids = new Set(Object.values(asked).flatMap((some) => some ?? []));
  if (ids.size === 0) return;
  const still = await list(cut, present, asked);
  if (still === undefined || still.length * 2 >= ids.size) return;
  const [whole] = await query<{ records: number }>(cut.transaction, compose(cut.source, count), bind(cut.params));
  const problem = tooFew(whole?.records ?? 0, window.compared);
  if (problem !== undefined) throw problem;
}
