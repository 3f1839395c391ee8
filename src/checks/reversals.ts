import type { Statement } from '../source.ts';
import { bookingStatements, familiesOf, type Families } from './bookings.ts';
import type { Cut } from './check.ts';
import { list } from './proof.ts';

const reversalsStatement: Statement = { relations: ['ledger_transactions'], layers: [], file: 'reversals.sql' };
export const reversalStatements = { reversals: reversalsStatement, ...bookingStatements };

/**
 * Reversals and what they reverse, which no sum over all can prove, with their families and the records that all of
 * them book. Undefined where they are too many for a list. Read once for all checks of a run.
 */
export async function reversalsOf(cut: Cut): Promise<Families | undefined> {
  return cut.shared.once(readReversals, () => readReversals(cut));
}

async function readReversals(cut: Cut): Promise<Families | undefined> {
  const ids = await list(cut, reversalsStatement);
  return ids && familiesOf(cut, ids);
}
