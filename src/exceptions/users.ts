import type { Transaction } from '../database/database.ts';
import { onlyOne, whoseIdBegins } from '../database/only-one.ts';
import { isUuid } from '../uuid.ts';

/**
 * The user whose id begins so, of those with an exception, open or not; a whole id is nobody's business to doubt. Throws
 * an OperatorError (64) if there is not exactly one.
 */
export async function findUser(transaction: Transaction, schema: string, idPrefix: string): Promise<string> {
  if (isUuid(idPrefix)) return idPrefix.toLowerCase();
  const found = await transaction<{ id: string }[]>`
    select distinct exception.affected_user_id as id
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    ${whoseIdBegins(transaction, 'exception.affected_user_id', idPrefix)}
  `;
  return onlyOne(found, {
    noun: 'user with an exception',
    idPrefix,
    listedBy: 'Give the whole id of a user who has none.',
  }).id;
}
