import type { Database, Transaction } from '../database/database.ts';
import { toJsonb } from '../database/jsonb.ts';
import { addToTotals, counted } from '../metrics/totals.ts';
import type { Message } from './message.ts';
import type { AlertState } from './states.ts';
import { targetNames, type TargetName } from './target.ts';

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
export async function waitingFor(database: Database, schema: string, target: TargetName): Promise<StoredAlert[]> {
  const rows = await database<StoredAlert[]>`
    select ${columns(database)}
    from ${database(`${schema}.reconciliation_alerts`)} as alert
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
  database: Database,
  schema: string,
  filter: { states: readonly AlertState[]; limit: number },
): Promise<{ alerts: StoredAlert[]; matching: number }> {
  const isMeant = database`${filter.states.length === 0} or alert.state = any (${[...filter.states]}::text[])`;
  const alerts = await database<StoredAlert[]>`
    select ${columns(database)}
    from ${database(`${schema}.reconciliation_alerts`)} as alert
    where ${isMeant}
    order by alert.number desc
    limit ${filter.limit}
  `;
  const [count] = await database<{ matching: string }[]>`
    select count(*) as matching from ${database(`${schema}.reconciliation_alerts`)} as alert where ${isMeant}
  `;
  return { alerts: [...alerts], matching: Number(count?.matching) };
}

function columns(database: Database) {
  return database`
    alert.id, alert.report_id, alert.target, alert.summary, alert.body, alert.state, alert.attempts, alert.last_error,
    alert.created_at, alert.attempted_at, alert.delivered_at
  `;
}

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
        when alert.created_at < ${at}::timestamptz - ${`${maxAgeMs} milliseconds`}::interval then 'dead'
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
      and alert.created_at < ${at}::timestamptz - ${`${maxAgeMs} milliseconds`}::interval
  `;
  if (count === 0) return;
  const labels = { target, outcome: 'dead' };
  await addToTotals(transaction, schema, [counted('reconciliation_alert_deliveries_total', labels, count)]);
}

/** Gives up what waits for targets that are not configured any more, once it is too old. */
export async function giveUpOrphans(
  database: Database,
  schema: string,
  configured: readonly TargetName[],
  { at, maxAgeMs }: { at: string; maxAgeMs: number },
): Promise<void> {
  const gone = targetNames.filter((name) => !configured.includes(name));
  await database`
    update ${database(`${schema}.reconciliation_alerts`)} as alert
    set state = 'dead', last_error = coalesce(alert.last_error, 'this target is not configured any more')
    where
      alert.state = 'waiting'
      and alert.target = any (${gone}::text[])
      and alert.created_at < ${at}::timestamptz - ${`${maxAgeMs} milliseconds`}::interval
  `;
}

/** Gives up what a target has heard the sequel of: a beginning that arrives after the end would never end. */
export async function giveUpOvertaken(database: Database, schema: string, target: TargetName): Promise<void> {
  const alerts = database(`${schema}.reconciliation_alerts`);
  await database`
    update ${alerts} as alert
    set state = 'dead', last_error = 'overtaken: what came after it under the same key has been delivered'
    where
      alert.state = 'waiting'
      and alert.target = ${target}
      and exists (
        select from ${alerts} as later
        where
          later.number > alert.number
          and later.target = alert.target
          and later.state = 'delivered'
          and later.body ->> 'dedup_key' = alert.body ->> 'dedup_key'
      )
  `;
}

/** Lets dead alerts wait again: those whose ids begin so, or all. Returns how many. */
export async function revive(database: Database, schema: string, idPrefixes: readonly string[]): Promise<number> {
  const revived = await database`
    update ${database(`${schema}.reconciliation_alerts`)} as alert
    set state = 'waiting'
    where
      alert.state = 'dead'
      and (
        ${idPrefixes.length === 0}
        or exists (select from unnest(${[...idPrefixes]}::text[]) as prefix where starts_with(alert.id::text, prefix))
      )
  `;
  return revived.count;
}
