import { OperatorError } from '../operator-error.ts';
import { withDigits } from '../uuid.ts';
import type { Transaction } from './database.ts';

/**
 * The end of a query for rows whose id begins so (`beginsUuid`): as many as `onlyOne` names where they are several. As a
 * range, which an index on the id answers however many rows there are.
 */
export function whoseIdBegins(transaction: Transaction, id: string, idPrefix: string) {
  return transaction`
    where ${transaction(id)} between ${withDigits(idPrefix, '0')}::uuid and ${withDigits(idPrefix, 'f')}::uuid
    order by ${transaction(id)}
    limit 5
  `;
}

/**
 * The one row whose id begins with what was typed. Throws an OperatorError (64) if there is none, or more than one.
 * @param listedBy the sentence that says which command lists them
 */
export function onlyOne<T extends { id: string }>(
  found: readonly T[],
  { noun, idPrefix, listedBy }: { noun: string; idPrefix: string; listedBy: string },
): T {
  const [row, other] = found;
  if (row === undefined)
    throw new OperatorError(64, `There is no ${noun} whose id begins with "${idPrefix}".`, listedBy);
  if (other === undefined) return row;
  const ids = found.map(({ id }) => id).join(', ');
  throw new OperatorError(
    64,
    `There is more than one ${noun} whose id begins with "${idPrefix}": ${ids}.`,
    'Give more of the id.',
  );
}
