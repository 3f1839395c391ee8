import type postgres from 'postgres';
import type { Severity } from '../../src/kinds.ts';
import type { ActionName } from '../../src/exceptions/actions.ts';

/** What is wrong with a subject. */
export interface Fault {
  subject: string;
  kind: string;
  /** null where there are no two sides. */
  difference: string | null;
  severity: Severity;
}

/** An exception as the model has it. Times in milliseconds. */
export interface ModelRow extends Fault {
  createdAt: number;
  occurrences: number;
  resolved: { at: number; by: string } | null;
  acknowledgedBy: string | null;
  assignee: string | null;
  snoozedUntil: number | null;
  acceptedUntil: number | null;
  previous: ModelRow | null;
  events: string[];
}

export interface Deed {
  action: ActionName;
  by: string;
  at: number;
  until: number;
  assignee: string;
}

const ranks: Severity[] = ['low', 'medium', 'high', 'critical'];

/** The life of exceptions as DESIGN tells it, without a database: what the program is held against. */
export class LifeModel {
  readonly rows: ModelRow[] = [];

  /** A run that saw these faults of one check. `clears`: it looked at every subject. Returns whether the check passes. */
  run(at: number, faults: readonly Fault[], { clears }: { clears: boolean }): boolean {
    this.#expire(at);
    const seen = faults.map((fault) => this.#see(at, fault));
    const passes = seen.every((row) => row.acceptedUntil !== null);
    if (clears) for (const row of this.rows.filter((one) => !one.resolved && !seen.includes(one))) clear(at, row, seen);
    return passes;
  }

  #expire(at: number): void {
    for (const row of this.rows.filter(({ resolved }) => resolved === null)) {
      if (row.acceptedUntil !== null && row.acceptedUntil <= at) {
        row.acceptedUntil = null;
        row.events.push('acceptance_ended');
      }
      if (row.snoozedUntil !== null && row.snoozedUntil <= at) {
        row.snoozedUntil = null;
        row.events.push('snooze_ended');
      }
    }
  }

  #see(at: number, fault: Fault): ModelRow {
    const known = this.rows.find((row) => row.resolved === null && isSame(row, fault));
    if (known === undefined) return this.#begin(at, fault);
    const change = ranks.indexOf(fault.severity) - ranks.indexOf(known.severity);
    if (change !== 0) known.events.push(change > 0 ? 'escalated' : 'eased');
    if (change > 0 && known.snoozedUntil !== null) {
      known.snoozedUntil = null;
      known.events.push('snooze_ended');
    }
    if (fault.difference !== known.difference && known.acceptedUntil !== null) {
      known.acceptedUntil = null;
      known.events.push('acceptance_ended');
    }
    return Object.assign(known, fault, { occurrences: known.occurrences + 1 });
  }

  #begin(at: number, fault: Fault): ModelRow {
    const [previous = null] = this.rows
      .filter((row) => row.resolved !== null && isSame(row, fault))
      .sort((left, right) => (right.resolved?.at ?? 0) - (left.resolved?.at ?? 0));
    const row: ModelRow = {
      ...fault,
      createdAt: at,
      occurrences: 1,
      resolved: null,
      acknowledgedBy: null,
      assignee: null,
      snoozedUntil: null,
      acceptedUntil: null,
      previous,
      events: [previous === null ? 'created' : 'returned'],
    };
    this.rows.push(row);
    return row;
  }

  /** Does what a person asks for; false if it is not possible, and then nothing has changed. */
  act(row: ModelRow, { action, by, at, until, assignee }: Deed): boolean {
    if (this.#refuses(row, action, at)) return false;
    Object.assign(
      row,
      {
        acknowledge: { acknowledgedBy: by },
        assign: { assignee },
        comment: {},
        snooze: { snoozedUntil: until, acceptedUntil: null },
        accept: { acceptedUntil: until, snoozedUntil: null },
        resolve: { resolved: { at, by } },
        reopen: { resolved: null, snoozedUntil: null, acceptedUntil: null },
      }[action],
    );
    row.events.push(
      {
        acknowledge: 'acknowledged',
        assign: 'assigned',
        comment: 'commented',
        snooze: 'snoozed',
        accept: 'accepted',
        resolve: 'resolved',
        reopen: 'reopened',
      }[action],
    );
    return true;
  }

  #refuses(row: ModelRow, action: ActionName, at: number): boolean {
    if (action === 'comment') return false;
    if (action !== 'reopen') return row.resolved !== null;
    const isAside = (row.acceptedUntil ?? 0) > at || (row.snoozedUntil ?? 0) > at;
    if (row.resolved === null) return !isAside;
    return this.rows.some((one) => one.resolved === null && isSame(one, row)); // it came back
  }
}

function isSame(row: Fault, other: Fault): boolean {
  return row.subject === other.subject && row.kind === other.kind;
}

function clear(at: number, row: ModelRow, seen: readonly ModelRow[]): void {
  row.resolved = { at, by: 'system' };
  const successor = seen.find(({ subject }) => subject === row.subject);
  row.events.push(successor === undefined ? 'cleared' : 'became');
  if (successor === undefined || (row.assignee === null && row.acknowledgedBy === null)) return;
  successor.assignee ??= row.assignee;
  successor.acknowledgedBy ??= row.acknowledgedBy;
  successor.events.push('inherited');
}

/** The model of one check, in the order in which `readStored` reads the exceptions. */
export function inStoredOrder(check: string, rows: readonly ModelRow[]): ModelRow[] {
  return rows.toSorted(
    (left, right) =>
      left.createdAt - right.createdAt || (fingerprintOf(check, left) < fingerprintOf(check, right) ? -1 : 1),
  );
}

/** What has to be stored of these, which are in that order. */
export function toStored(check: string, rows: readonly ModelRow[]): Record<string, unknown>[] {
  const date = (time: number | null | undefined) => (time === null || time === undefined ? null : new Date(time));
  return rows.map((row) => ({
    fingerprint: fingerprintOf(check, row),
    severity: row.severity,
    difference: row.difference,
    created_at: new Date(row.createdAt),
    occurrences: row.occurrences,
    resolved_at: date(row.resolved?.at),
    resolved_by: row.resolved?.by ?? null,
    acknowledged_by: row.acknowledgedBy,
    assignee: row.assignee,
    snoozed_until: date(row.snoozedUntil),
    accepted_until: date(row.acceptedUntil),
    previous: row.previous && rows.indexOf(row.previous),
    events: row.events,
  }));
}

/** The exceptions of a check whose subject begins so, oldest first; `previous` is a place in this list. */
export async function readStored(
  sql: postgres.Sql,
  check: string,
  prefix: string,
): Promise<(Record<string, unknown> & { id: string })[]> {
  const rows = await sql<(Record<string, unknown> & { id: string; previous_exception_id: string | null })[]>`
    select
      exception.*,
      (
        select array_agg(happened.event order by happened.sequence)
        from reconciliation_exception_events as happened
        where happened.exception_id = exception.id
      ) as events
    from reconciliation_exceptions as exception
    where exception.check_type = ${check} and starts_with(exception.affected_entity, ${prefix})
    order by exception.created_at, exception.fingerprint collate "C"`;
  const ids = rows.map(({ id }) => id);
  return rows.map((row) => ({ ...row, previous: row.previous_exception_id && ids.indexOf(row.previous_exception_id) }));
}

function fingerprintOf(check: string, { kind, subject }: Fault): string {
  return `${check}/${kind}/${subject}`;
}
