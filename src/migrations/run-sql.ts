import { query, type Transaction } from '../database/database.ts';
import { databaseProblem, lockNotAvailable, type DatabaseProblem } from '../database/problem.ts';
import { describeSqlProblem } from '../database/sql-problem.ts';
import { OperatorError } from '../operator-error.ts';

/** Runs the text of a file; what PostgreSQL says about it becomes an OperatorError. */
export async function runSql(transaction: Transaction, file: string, text: string): Promise<void> {
  await query(transaction, text).catch(explain(file, text));
}

/** SQLSTATEs, PostgreSQL appendix A; `RECON` is our own, raised by a migration that refuses what it finds. */
const duplicates = ['42723', '42710', '42P07']; // function, trigger, table
const notAllowed = '42501';
const refused = 'RECON';

/** What whoever may not change the tables does. */
export const ofOwner =
  'Use the role that owns the tables or may make them, or give a database administrator what --print prints.';

const leftOver =
  'What has that name is left over from tables that were dropped by hand, or is not of recon: drop or rename it, and try again.';

function hintFor({ code, hint }: DatabaseProblem): string {
  if (duplicates.includes(code)) return leftOver;
  if (code === notAllowed) return ofOwner;
  return hint ?? 'Nothing of this migration was kept.';
}

/**
 * Turns what PostgreSQL says about a statement into an OperatorError (4 for a lock, else 78); lost connections are explained
 * elsewhere.
 */
export function explain(file: string, text: string): (error: unknown) => never {
  return (error) => {
    const problem = databaseProblem(error);
    if (problem === undefined || !/^[0-9A-Z]{5}$/.test(problem.code) || /^(08|53|57)/.test(problem.code)) throw error;
    const options = { cause: error };
    if (problem.code === refused) throw new OperatorError(78, problem.message, problem.hint, options);
    const message = describeSqlProblem(file, text, problem);
    if (problem.code === lockNotAvailable)
      throw new OperatorError(4, message, 'Somebody uses one of these tables: try again when it is quiet.', options);
    throw new OperatorError(78, message, hintFor(problem), options);
  };
}
