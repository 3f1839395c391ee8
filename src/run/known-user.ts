import { whyIncomplete, withCut, type CutOptions } from './cut.ts';
import { query } from '../database/database.ts';
import { OperatorError } from '../operator-error.ts';
import { withDatabases } from './source-database.ts';
import { bind, compose, type Statement } from '../source.ts';

/** Of one row, one column: `known`. */
export const knownUser: Statement = {
  relations: ['ledger_accounts', 'custody_accounts', 'deposits', 'withdrawals', 'ledger_transactions'],
  layers: [],
  file: 'user.known.sql',
};

/**
 * That the user whom the run is narrowed to is one of the source's: of a mistyped one nothing is wrong, and nothing is
 * proven. Throws an OperatorError (64) if not. What cannot be read, the checks that read it say better.
 */
export async function assertKnownUser(options: CutOptions): Promise<void> {
  const { userId } = options.scope;
  if (userId === null || (await isKnown(options))) return;
  throw new OperatorError(
    64,
    `--user ${userId} names no user of the source: no account, record or transaction is theirs.`,
    'Give the id that the ledger knows the user by.',
  );
}

async function isKnown(options: CutOptions): Promise<boolean> {
  try {
    const [row] = await withDatabases(options.config, options.signal, (databases) =>
      withCut(databases, options, ({ transaction, source, params }) =>
        query<{ known: boolean }>(transaction, compose(source, knownUser), bind(params)),
      ),
    );
    return row?.known === true;
  } catch (error) {
    if (whyIncomplete(error) === undefined) throw error;
    options.signal.throwIfAborted();
    return true;
  }
}
