import { query } from '../database.ts';
import { bind, compose, type Statement } from '../source.ts';
import { bookingStatements, familiesOf, type Families } from './bookings.ts';
import type { Cut } from './check.ts';
import { limited, suspectsLimit } from './proof.ts';

const specialStatement: Statement = { relations: ['ledger_transactions'], layers: [], file: 'special.sql' };
export const specialStatements = { special: specialStatement, ...bookingStatements };

/** The transactions with rules of their own. Undefined where they are too many for a list. */
export interface Special {
  /** Conversions whose amounts are those of a job. */
  jobs: string[] | undefined;
  /** Reversals and what they reverse, with their families, and the records that all of them book. */
  turned: Families | undefined;
}

/** Reads them once for all checks of a run. */
export async function specialOf(cut: Cut): Promise<Special> {
  cut.shared.special ??= readSpecial(cut);
  return cut.shared.special;
}

async function readSpecial(cut: Cut): Promise<Special> {
  const text = limited(compose(cut.source, specialStatement));
  const rows = await query<{ id: string; turned: boolean }>(cut.transaction, text, bind(cut.params));
  if (rows.length > suspectsLimit) return { jobs: undefined, turned: undefined };
  const ids = (turned: boolean) => rows.filter((row) => row.turned === turned).map(({ id }) => id);
  return { jobs: ids(false), turned: await familiesOf(cut, ids(true)) };
}
