import type { Transaction } from '../database/database.ts';
import { toJsonb } from '../database/jsonb.ts';
import { onlyOne, whoseIdBegins } from '../database/only-one.ts';
import type { Message } from './message.ts';
import type { AlertState } from './states.ts';
import type { TargetName } from './target.ts';

/** A row of reconciliation_alerts. Times are RFC 3339 in UTC. */
export interface StoredAlert {
  /** The same at every attempt. */
  id: string;
  report_id: string | null;
  target: TargetName;
  summary: string;
  body: object;
  state: AlertState;
  attempts: number;
  last_error: string | null;
  created_at: string;
  attempted_at: string | null;
  delivered_at: string | null;
}

/** Puts messages into the outbox, as a part of the transaction in which happened what they tell. */
export async function enqueue(
  transaction: Transaction,
  schema: string,
  target: TargetName,
  messages: readonly Message[],
  { reportId, at }: { reportId: string | null; at: string },
): Promise<void> {
  for (const { summary, body } of messages)
    await transaction`
      insert into ${transaction(`${schema}.reconciliation_alerts`)} (target, report_id, summary, body, created_at)
      values (${target}, ${reportId}, ${summary}, ${toJsonb(body)}::text::jsonb, ${at})
    `;
}

/**
 * What waits for a target, in the order in which it happened; but what begins does not wait behind hundreds of ends, which
 * PagerDuty takes slowly. Within one dedup_key the order stays.
 */
export async function waitingFor(transaction: Transaction, schema: string, target: TargetName): Promise<StoredAlert[]> {
  const rows = await transaction<StoredAlert[]>`
    select ${columns(transaction)}
    from ${transaction(`${schema}.reconciliation_alerts`)} as alert
    where alert.state = 'waiting' and alert.target = ${target}
    order by
      first_value(alert.body ->> 'event_action') over (
        partition by coalesce(alert.body ->> 'dedup_key', alert.id::text) order by alert.number
      ) is distinct from 'trigger',
      alert.number
    limit 1000
  `;
  return [...rows];
}

/** The newest alerts, newest first, with the number of all that match. */
export async function listAlerts(
  transaction: Transaction,
  schema: string,
  filter: { states: readonly AlertState[]; limit: number },
): Promise<{ alerts: StoredAlert[]; matching: number }> {
  const isMeant = transaction`${filter.states.length === 0} or alert.state = any (${[...filter.states]}::text[])`;
  const alerts = await transaction<StoredAlert[]>`
    select ${columns(transaction)}
    from ${transaction(`${schema}.reconciliation_alerts`)} as alert
    where ${isMeant}
    order by alert.number desc
    limit ${filter.limit}
  `;
  const [count] = await transaction<{ matching: string }[]>`
    select count(*) as matching from ${transaction(`${schema}.reconciliation_alerts`)} as alert where ${isMeant}
  `;
  return { alerts: [...alerts], matching: Number(count?.matching) };
}

/** How many alerts nobody has heard of: all that wait, and what was given up of those since a time, and has no sequel. */
export async function undelivered(
  transaction: Transaction,
  schema: string,
  since: Date,
): Promise<Record<Exclude<AlertState, 'delivered'>, number>> {
  const alerts = transaction(`${schema}.reconciliation_alerts`);
  const [row] = await transaction<{ waiting: string; dead: string }[]>`
    select
      (select count(*) from ${alerts} as alert where alert.state = 'waiting') as waiting,
      (
        select count(*)
        from ${alerts} as alert
        where alert.state = 'dead' and alert.created_at >= ${since} and not ${hasSequel(transaction, schema)}
      ) as dead
  `;
  return { waiting: Number(row?.waiting), dead: Number(row?.dead) };
}

/** Of the row `alert`: whether its target has heard what came after it under the same key, and so how it ended. */
export function hasSequel(transaction: Transaction, schema: string) {
  return transaction`
    exists (
      select from ${transaction(`${schema}.reconciliation_alerts`)} as later
      where
        later.number > alert.number
        and later.target = alert.target
        and later.state = 'delivered'
        and later.body ->> 'dedup_key' = alert.body ->> 'dedup_key'
    )`;
}

/** The alert whose id begins so. Throws an OperatorError (64) if there is not exactly one. */
export async function findAlert(transaction: Transaction, schema: string, idPrefix: string): Promise<StoredAlert> {
  const found = await transaction<StoredAlert[]>`
    select ${columns(transaction)}
    from ${transaction(`${schema}.reconciliation_alerts`)} as alert
    ${whoseIdBegins(transaction, 'alert.id', idPrefix)}
  `;
  return onlyOne(found, { noun: 'alert', idPrefix, listedBy: '`recon alerts list` shows them.' });
}

function columns(transaction: Transaction) {
  return transaction`
    alert.id, alert.report_id, alert.target, alert.summary, alert.body, alert.state, alert.attempts, alert.last_error,
    alert.created_at, alert.attempted_at, alert.delivered_at
  `;
}
