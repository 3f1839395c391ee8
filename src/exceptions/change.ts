import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { toJsonb } from '../database/jsonb.ts';
import { OperatorError } from '../operator-error.ts';
import { actionNames, actions, type ActionName, type Order, type Signature } from './actions.ts';
import { matches, type ExceptionFilter } from './filter.ts';
import { lockExceptions } from './store.ts';

/** An exception as somebody is shown it before they say yes. */
export interface Target {
  id: string;
  /** Another one as soon as anything of the row has changed. */
  version: string;
  /** Whose it is, or who took it up. */
  holder: string | null;
}

/** The exceptions that match. */
export async function targetsOf(transaction: Transaction, schema: string, filter: ExceptionFilter): Promise<Target[]> {
  return transaction<Target[]>`
    select exception.id, exception.xmin::text as version, coalesce(exception.assignee, exception.acknowledged_by) as holder
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(transaction, schema, filter)}
    order by exception.id
  `;
}

/**
 * Carries out all orders or none, each exception in at most one of them, and writes them into the log. Throws an
 * OperatorError that names what stands in the way: an id that is not there (64), or what has become of one (2).
 */
export async function changeExceptions(
  database: Database,
  schema: string,
  orders: readonly Order[],
  signature: Signature,
): Promise<void> {
  await inTransaction(database, 'read write', async (transaction) => {
    await lockExceptions(transaction, schema);
    for (const part of partsOf(orders)) {
      const [action = 'comment'] = part.map((order) => order.action);
      await refuse(transaction, schema, part, signature);
      await log(transaction, schema, action, part, signature);
      await update(transaction, schema, action, part, signature);
    }
  });
}

/** Throws an OperatorError (2 or 64) for what `changeExceptions` would refuse now: nobody need be asked then. */
export async function assertPossible(
  transaction: Transaction,
  schema: string,
  orders: readonly Order[],
  signature: Signature,
): Promise<void> {
  for (const part of partsOf(orders)) await refuse(transaction, schema, part, signature);
}

/** Those of these orders that are the last line in the log of their exception: they are carried out already. */
export async function carriedOut(
  transaction: Transaction,
  schema: string,
  orders: readonly Order[],
  { by }: Signature,
): Promise<ReadonlySet<string>> {
  const done = new Set<string>();
  for (const part of partsOf(orders)) {
    const [event = ''] = part.map(({ action }) => actions[action].event);
    const rows = await transaction<{ id: string }[]>`
      select ordered.id
      from ${orderTable(transaction, part)}
      cross join lateral (
        select event.event, event.actor, event.note, event.details
        from ${transaction(`${schema}.reconciliation_exception_events`)} as event
        where event.exception_id = ordered.id
        order by event.sequence desc
        limit 1
      ) as last
      where
        (last.event, last.actor) = (${event}, ${by})
        and last.note is not distinct from ordered.note
        and last.details ->> 'assignee' is not distinct from ordered.assignee
        and (last.details ->> 'until')::timestamptz is not distinct from ordered.until
    `;
    for (const { id } of rows) done.add(id);
  }
  return done;
}

/** Orders of one action each, a thousand at a time. */
function* partsOf(orders: readonly Order[]): Generator<Order[]> {
  for (const action of actionNames) {
    const alike = orders.filter((order) => order.action === action);
    for (let start = 0; start < alike.length; start += 1_000) yield alike.slice(start, start + 1_000);
  }
}

function orderTable(transaction: Transaction, orders: readonly Order[]) {
  return transaction`
    json_to_recordset(${toJsonb(orders)}::text::json) as ordered (
      id uuid, version text, action text, note text, until timestamptz, assignee text
    )
  `;
}

interface Refused {
  id: string;
  why: keyof typeof reasons;
  returned_as: string | null;
}

/** What stands in the way of an order, and what to do next. */
const reasons = {
  unknown: () => ['does not exist', '`recon exceptions list --status all` shows every one.'],
  changed: () => ['has changed since it was shown', 'Look at it again.'],
  resolved: (id: string) => ['is resolved already', `\`recon exceptions show ${id.slice(0, 8)}\` says by whom.`],
  open: () => ['is open', 'There is nothing to take back.'],
  returned: (_id: string, as: string) => [`has come back as ${as}`, 'Go on with that one.'],
  twice: () => ['is one of several with the same subject', 'Reopen one of them.'],
} satisfies Record<string, (id: string, as: string) => [string, string]>;

async function refuse(
  transaction: Transaction,
  schema: string,
  orders: readonly Order[],
  { at }: Signature,
): Promise<void> {
  const [refused] = await transaction<Refused[]>`
    with
    judged as (
      select ordered.id, returned.id as returned_as, ${judgement(transaction, at)} as why
      from ${orderTable(transaction, orders)}
      left join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = ordered.id
      left join ${transaction(`${schema}.reconciliation_exceptions`)} as returned
        on returned.fingerprint = exception.fingerprint and returned.resolved_at is null and returned.id <> exception.id
    )
    select judged.id, judged.why, judged.returned_as
    from judged
    where judged.why is not null
    order by judged.id
    limit 1
  `;
  if (refused === undefined) return;
  const [sentence, hint] = reasons[refused.why](refused.id, refused.returned_as ?? '');
  const exitCode = refused.why === 'unknown' ? 64 : 2;
  const line = orders.find(({ id }) => id === refused.id)?.line;
  const the = line === undefined ? 'The' : `Line ${line}: the`;
  throw new OperatorError(exitCode, `${the} exception ${refused.id} ${sentence}; nothing was changed.`, hint);
}

function judgement(transaction: Transaction, at: Date) {
  return transaction`
    case
      when exception.id is null then 'unknown'
      when ordered.version <> exception.xmin::text then 'changed'
      when ordered.action = 'comment' then null
      when ordered.action <> 'reopen' then case when exception.resolved_at is not null then 'resolved' end
      when exception.resolved_at is null and greatest(exception.accepted_until, exception.snoozed_until) > ${at} then null
      when exception.resolved_at is null then 'open'
      when returned.id is not null then 'returned'
      when count(*) over (partition by exception.fingerprint) > 1 then 'twice'
    end
  `;
}

/** Before the update: `was` is what it takes away. */
async function log(
  transaction: Transaction,
  schema: string,
  action: ActionName,
  orders: readonly Order[],
  { by, host, at }: Signature,
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_exception_events`)} (
      exception_id, event, actor, note, host, details, created_at
    )
    select
      exception.id, ${actions[action].event}, ${by}, ordered.note, ${host},
      jsonb_strip_nulls(jsonb_build_object(
        'assignee', ordered.assignee,
        'until', ordered.until,
        'difference', case when ordered.action = 'accept' then exception.difference::text end,
        'was', case
          when ordered.action in ('acknowledge', 'assign') and coalesce(exception.assignee, exception.acknowledged_by) is not null
            then jsonb_build_object('assignee', exception.assignee, 'acknowledged_by', exception.acknowledged_by)
          when ordered.action = 'reopen' then jsonb_build_object(
            'snoozed_until', exception.snoozed_until,
            'accepted_until', exception.accepted_until,
            'resolved_at', exception.resolved_at,
            'resolved_by', exception.resolved_by,
            'resolution_notes', exception.resolution_notes
          )
        end
      )),
      ${at}
    from ${orderTable(transaction, orders)}
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = ordered.id
    order by exception.id
  `;
}

async function update(
  transaction: Transaction,
  schema: string,
  action: ActionName,
  orders: readonly Order[],
  signature: Signature,
): Promise<void> {
  const columns = columnsAfter(transaction, action, signature);
  if (columns === undefined) return;
  const updated = await transaction`
    update ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    set ${columns}
    from ${orderTable(transaction, orders)}
    where exception.id = ordered.id
  `;
  if (updated.count !== orders.length)
    throw new Error(`${updated.count} exceptions were changed where ${orders.length} were meant.`);
}

/** What an action sets; a comment nothing. */
function columnsAfter(transaction: Transaction, action: ActionName, { by, at }: Signature) {
  switch (action) {
    case 'acknowledge':
      return transaction`acknowledged_at = ${at}, acknowledged_by = ${by}`;
    case 'assign':
      return transaction`assignee = ordered.assignee`;
    case 'comment':
      return undefined;
    case 'snooze':
      return transaction`snoozed_until = ordered.until, accepted_until = null`;
    case 'accept':
      return transaction`accepted_until = ordered.until, snoozed_until = null`;
    case 'resolve':
      return transaction`resolved_at = ${at}, resolved_by = ${by}, resolution_notes = ordered.note`;
    case 'reopen':
      return transaction`
        resolved_at = null, resolved_by = null, resolution_notes = null, snoozed_until = null, accepted_until = null
      `;
  }
}
