import type { Transaction } from '../database/database.ts';
import { toInterval } from '../duration.ts';
import { addToTotals, counted } from '../metrics/totals.ts';
import { hasSequel, type StoredAlert } from './outbox.ts';
import type { AlertState } from './states.ts';
import { targetNames, type TargetName } from './target.ts';

/** What came of trying to deliver an alert. */
export interface Attempted {
  attempts: number;
  /** Why it was not taken; null: it was. */
  problem: string | null;
  at: string;
}

/** Writes down what came of it, and counts it. What was not taken and is older than `maxAgeMs` is dead. */
export async function settle(
  transaction: Transaction,
  schema: string,
  { id, target }: Pick<StoredAlert, 'id' | 'target'>,
  { attempts, problem, at }: Attempted,
  maxAgeMs: number,
): Promise<void> {
  const [row] = await transaction<{ state: AlertState }[]>`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set
      state = case
        when ${problem}::text is null then 'delivered'
        when alert.created_at < ${at}::timestamptz - ${toInterval(maxAgeMs)}::interval then 'dead'
        else 'waiting'
      end,
      attempts = alert.attempts + ${attempts},
      last_error = coalesce(${problem}::text, alert.last_error),
      attempted_at = ${at},
      delivered_at = case when ${problem}::text is null then ${at}::timestamptz end
    where alert.id = ${id}
    returning alert.state
  `;
  const outcome = row?.state === 'waiting' ? 'failed' : (row?.state ?? 'failed');
  await addToTotals(transaction, schema, [counted('reconciliation_alert_deliveries_total', { target, outcome })]);
}

/** Gives up, and counts, what is older than `maxAgeMs` of what waits for a target that is down: untried, for it is down. */
export async function giveUpOld(
  transaction: Transaction,
  schema: string,
  target: TargetName,
  { problem, at }: Pick<Attempted, 'problem' | 'at'>,
  maxAgeMs: number,
): Promise<void> {
  const { count } = await transaction`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set state = 'dead', last_error = coalesce(alert.last_error, ${problem}::text)
    where
      alert.state = 'waiting'
      and alert.target = ${target}
      and alert.created_at < ${at}::timestamptz - ${toInterval(maxAgeMs)}::interval
  `;
  if (count === 0) return;
  const labels = { target, outcome: 'dead' };
  await addToTotals(transaction, schema, [counted('reconciliation_alert_deliveries_total', labels, count)]);
}

/** Gives up what waits for targets that are not configured any more, once it is too old. */
export async function giveUpOrphans(
  transaction: Transaction,
  schema: string,
  configured: readonly TargetName[],
  { at, maxAgeMs }: { at: string; maxAgeMs: number },
): Promise<void> {
  const gone = targetNames.filter((name) => !configured.includes(name));
  await transaction`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set state = 'dead', last_error = coalesce(alert.last_error, 'this target is not configured any more')
    where
      alert.state = 'waiting'
      and alert.target = any (${gone}::text[])
      and alert.created_at < ${at}::timestamptz - ${toInterval(maxAgeMs)}::interval
  `;
}

/** Gives up what a target has heard the sequel of: a beginning that arrives after the end would never end. */
export async function giveUpOvertaken(transaction: Transaction, schema: string, target: TargetName): Promise<void> {
  await transaction`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set state = 'dead', last_error = 'overtaken: what came after it under the same key has been delivered'
    where alert.state = 'waiting' and alert.target = ${target} and ${hasSequel(transaction, schema)}
  `;
}

/** Lets dead alerts wait again: those with these ids, or all where none is given. */
export async function revive(transaction: Transaction, schema: string, ids: readonly string[]): Promise<void> {
  await transaction`
    update ${transaction(`${schema}.reconciliation_alerts`)} as alert
    set state = 'waiting'
    where alert.state = 'dead' and (${ids.length === 0} or alert.id = any (${[...ids]}::uuid[]))
  `;
}
