import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import type { Signature } from '../exceptions/actions.ts';
import { OperatorError } from '../operator-error.ts';
import { signed } from '../placeholders.ts';
import { Refusal } from './refusal.ts';

/** How the one row of the table stands. */
export interface Switch {
  stopped: boolean;
  /** Who stopped corrections first, or allowed them last; null: nobody ever did, or nobody knows. */
  changed_by: string | null;
  note: string | null;
  /** RFC 3339, UTC. */
  changed_at: string | null;
}

const gone: Switch = {
  stopped: true,
  changed_by: null,
  note: 'the row of reconciliation_correction_switch is gone',
  changed_at: null,
};

/**
 * Throws a Refusal if corrections are stopped. Whoever stops them afterwards waits until this transaction has ended: when
 * it is said that they are stopped, they are.
 */
export async function assertNotStopped(transaction: Transaction, schema: string): Promise<void> {
  const row = await rowOf(transaction, schema, transaction`for share`);
  if (row?.stopped === false) return;
  throw new Refusal(stoppedSentence(row ?? gone), howToResume);
}

/** What whoever wants to correct does next. */
export const howToResume = `\`recon corrections resume ${signed}\` allows them again.`;

/** What whoever wants to correct is told. */
export function stoppedSentence({ changed_by: by, note }: Pick<Switch, 'changed_by' | 'note'>): string {
  return `Corrections are stopped${by === null ? '' : ` by ${by}`}${note === null ? '' : `: ${note}`}.`;
}

/** What somebody does to the switch. */
export interface SwitchOrder extends Signature {
  stopped: boolean;
  note: string | null;
}

/**
 * Stops or allows all corrections, also those of runs, and returns how the switch stood before. Allowing what is allowed
 * changes nothing; stopping what is stopped is on record, and leaves who stopped it first. Throws an OperatorError (78) if
 * the row of the switch is gone.
 */
export async function setSwitch(
  database: Database,
  schema: string,
  { stopped, note, by, host, at }: SwitchOrder,
): Promise<Switch> {
  return inTransaction(database, 'read write', async (transaction) => {
    const before = await rowOf(transaction, schema, transaction`for update`);
    if (before === undefined)
      throw new OperatorError(
        78,
        'The row of reconciliation_correction_switch is gone: corrections are stopped.',
        'Insert it again: insert into reconciliation_correction_switch default values',
      );
    if (stopped || before.stopped)
      await transaction`
        update ${transaction(`${schema}.reconciliation_correction_switch`)} as switch
        set stopped = ${stopped}, changed_by = ${by}, host = ${host}, note = ${note}, changed_at = ${at}
      `;
    return before;
  });
}

/** Whether all corrections are stopped, and by whom. */
export async function switchOf(transaction: Transaction, schema: string): Promise<Switch> {
  return (await rowOf(transaction, schema, transaction``)) ?? gone;
}

/** undefined: somebody deleted it. */
async function rowOf(
  transaction: Transaction,
  schema: string,
  locking: ReturnType<Transaction>,
): Promise<Switch | undefined> {
  const [row] = await transaction<Switch[]>`
    select switch.stopped, switch.changed_by, switch.note, switch.changed_at
    from ${transaction(`${schema}.reconciliation_correction_switch`)} as switch
    ${locking}
  `;
  return row;
}

/** One change of the switch. */
export interface SwitchChange extends Switch {
  /** From which machine. */
  host: string | null;
  /** The role that the database knows, whatever name was signed with; null: from before this was kept. */
  login: string | null;
}

/** Each time that corrections were stopped or allowed again, the newest first. */
export async function switchChanges(transaction: Transaction, schema: string): Promise<SwitchChange[]> {
  const rows = await transaction<SwitchChange[]>`
    select stop.stopped, stop.changed_by, stop.host, stop.login, stop.note, stop.changed_at
    from ${transaction(`${schema}.reconciliation_correction_stops`)} as stop
    order by stop.number desc
  `;
  return [...rows];
}
