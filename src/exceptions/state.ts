import type { Transaction } from '../database/database.ts';
import type { Config } from '../config.ts';
import { kindOf } from '../kinds.ts';
import type { StoredException } from './exception.ts';

/**
 * How an exception stands at a moment: `open`, to be worked on; `snoozed`, put aside for a time; `accepted`, known and
 * agreed for a time; or `resolved`, over.
 */
export type ExceptionState = 'open' | 'snoozed' | 'accepted' | 'resolved';

/** What lists are made of: the states, those that are `open` and taken up, and whatever is not over. */
export const statuses = ['open', 'acknowledged', 'snoozed', 'accepted', 'unresolved', 'resolved', 'all'] as const;
export type Status = (typeof statuses)[number];

/** The state of the row `exception`. */
export function stateOf(transaction: Transaction, at: Date) {
  return transaction`
    case
      when ${stands(transaction, 'resolved', at)} then 'resolved'
      when ${stands(transaction, 'accepted', at)} then 'accepted'
      when ${stands(transaction, 'snoozed', at)} then 'snoozed'
      else 'open'
    end
  `;
}

/** The state of an exception that was read, by the same rules. */
export function stateAt(
  { resolved_at: resolved, accepted_until: accepted, snoozed_until: snoozed }: Lifetimes,
  at: Date,
): ExceptionState {
  const lasts = (until: string | null) => until !== null && Date.parse(until) > at.getTime();
  if (resolved !== null) return 'resolved';
  if (lasts(accepted)) return 'accepted';
  return lasts(snoozed) ? 'snoozed' : 'open';
}

/** Whether runs look at it: while it is not resolved, the last one that did found it. `checks`: those that are on. */
export function isLookedAt(
  { check_type: check, kind }: Pick<StoredException, 'check_type' | 'kind'>,
  checks: Config['checks'],
): boolean {
  return checks.includes(check) && kindOf(kind) !== undefined;
}

type Lifetimes = Pick<StoredException, 'resolved_at' | 'accepted_until' | 'snoozed_until'>;

/** The condition that the row `exception` stands so. */
export function stands(transaction: Transaction, status: Status, at: Date) {
  switch (status) {
    case 'all':
      return transaction`true`;
    case 'resolved':
      return transaction`exception.resolved_at is not null`;
    case 'unresolved':
      return transaction`exception.resolved_at is null`;
    case 'accepted':
      return transaction`exception.resolved_at is null and exception.accepted_until > ${at}`;
    case 'snoozed':
      return transaction`exception.resolved_at is null and exception.snoozed_until > ${at}`;
    case 'open':
    case 'acknowledged':
      return transaction`
        exception.resolved_at is null
        and coalesce(greatest(exception.accepted_until, exception.snoozed_until) <= ${at}, true)
        and (${status === 'open'} or exception.acknowledged_at is not null)
      `;
  }
}

/** The condition that the row `exception` counts for verdict, metrics and alerts: `open` or `snoozed`, not `accepted`. */
export function counts(transaction: Transaction, at: Date | string) {
  return transaction`
    (
      exception.resolved_at is null
      and coalesce(exception.accepted_until <= ${at}::timestamptz, true)
    )
  `;
}
