import { OperatorError } from '../operator-error.ts';

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
