import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import type { Signature } from '../exceptions/actions.ts';
import { OperatorError } from '../operator-error.ts';
import { signed } from '../placeholders.ts';
import { Refusal } from './refusal.ts';

/** How the one row of the table stands. */
interface Switch {
  stopped: boolean;
  changed_by: string | null;
  note: string | null;
}

const gone: Switch = { stopped: true, changed_by: null, note: 'the row of reconciliation_correction_switch is gone' };

/**
 * Throws a Refusal if corrections are stopped. Whoever stops them afterwards waits until this transaction has ended: when
 * it is said that they are stopped, they are.
 */
export async function assertNotStopped(transaction: Transaction, schema: string): Promise<void> {
  const [row] = await transaction<Switch[]>`
    select switch.stopped, switch.changed_by, switch.note
    from ${transaction(`${schema}.reconciliation_correction_switch`)} as switch
    for share of switch
  `;
  if (row?.stopped === false) return;
  throw new Refusal(stoppedSentence(row ?? gone), howToResume);
}

/** What whoever wants to correct does next. */
export const howToResume = `\`recon corrections resume ${signed}\` allows them again.`;

/** What whoever wants to correct is told. */
export function stoppedSentence({ changed_by: by, note }: Pick<Switch, 'changed_by' | 'note'>): string {
  return `Corrections are stopped${by === null ? '' : ` by ${by}`}${note === null ? '' : `: ${note}`}.`;
}

/** Stops or allows all corrections, also those of runs. Throws an OperatorError (78) if the row of the switch is gone. */
export async function setSwitch(
  database: Database,
  schema: string,
  stopped: boolean,
  note: string | null,
  { by, at }: Signature,
): Promise<void> {
  await inTransaction(database, 'read write', async (transaction) => {
    const changed = await transaction`
      update ${transaction(`${schema}.reconciliation_correction_switch`)} as switch
      set stopped = ${stopped}, changed_by = ${by}, note = ${note}, changed_at = ${at}
    `;
    if (changed.count === 1) return;
    throw new OperatorError(
      78,
      'The row of reconciliation_correction_switch is gone: corrections are stopped.',
      'Insert it again: insert into reconciliation_correction_switch default values',
    );
  });
}

/** Whether all corrections are stopped, and by whom. */
export async function switchOf(transaction: Transaction, schema: string): Promise<Switch> {
  const [row] = await transaction<Switch[]>`
    select switch.stopped, switch.changed_by, switch.note
    from ${transaction(`${schema}.reconciliation_correction_switch`)} as switch
  `;
  return row ?? gone;
}
