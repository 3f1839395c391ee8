import type { StoredException } from '../exceptions/exception.ts';
import { OperatorError } from '../operator-error.ts';
import { openSource } from '../source.ts';
import { assertCorrectable } from './attempt.ts';
import { withCorrectionDatabase } from './database.ts';
import { outlookOf } from './outlook.ts';
import { Failure, Refusal } from './refusal.ts';
import type { Desk } from './transaction.ts';

/**
 * Why `recon corrections propose` would refuse an exception now, with what to do next; null: it would not, or recon corrects
 * no such exception anyway. Asked without writing, as the role of corrections; `database` is the pool of DATABASE_URL.
 */
export async function refusalOf(
  { database: main, ...desk }: Omit<Desk, 'source'>,
  exception: StoredException & { id: string },
): Promise<string | null> {
  if (exception.resolved_at !== null || outlookOf(exception).by === 'nobody') return null;
  const { config, world } = desk;
  const order = { exceptionId: exception.id, author: { reportId: null } };
  try {
    const source = openSource(config.source);
    await withCorrectionDatabase(config, main, { signal: world.signal }, (database) =>
      assertCorrectable({ ...desk, database, source }, order),
    );
    return null;
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure || error instanceof OperatorError)) throw error;
    const hint = error instanceof Failure ? undefined : error.hint;
    return hint === undefined ? error.message : `${error.message} ${hint}`;
  }
}
