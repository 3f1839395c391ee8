import { isDeepStrictEqual } from 'node:util';
import type postgres from 'postgres';
import type { Severity } from '../../src/kinds.ts';
import type { ActionName } from '../../src/exceptions/actions.ts';

/** What is wrong with a subject. */
export interface Fault {
  subject: string;
  kind: string;
  severity: Severity;
  expected: string | null;
  actual: string | null;
  /** null where there are no two sides. */
  difference: string | null;
  currency: string | null;
  user: string | null;
  metadata: Record<string, unknown>;
}

/** A run: when, and by which report. */
export interface ModelRun {
  at: number;
  report: string;
}

/** An exception as the model has it. Times in milliseconds. */
export interface ModelRow extends Fault {
  createdAt: number;
  /** The reports that saw it first and last, and when the last one was. */
  firstReport: string;
  lastReport: string;
  seenAt: number;
  occurrences: number;
  resolved: { at: number; by: string; note: string } | null;
  isCorrected: boolean;
  acknowledgedAt: number | null;
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
  note: string;
}

const ranks: Severity[] = ['low', 'medium', 'high', 'critical'];

/** The life of exceptions as the README tells it, without a database: what the program is held against. */
export class LifeModel {
  readonly rows: ModelRow[] = [];

  /** A run that saw these faults of one check. `clears`: it looked at every subject. Returns whether the check passes. */
  run(run: ModelRun, faults: readonly Fault[], { clears }: { clears: boolean }): boolean {
    this.#expire(run.at);
    const seen = faults.map((fault) => this.#see(run, fault));
    const passes = seen.every((row) => row.acceptedUntil !== null);
    if (clears)
      for (const row of this.rows.filter((one) => !one.resolved && !seen.includes(one))) clear(run, row, seen);
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

  #see(run: ModelRun, fault: Fault): ModelRow {
    const known = this.rows.find((row) => row.resolved === null && isSame(row, fault));
    if (known === undefined) return this.#begin(run, fault);
    const change = ranks.indexOf(fault.severity) - ranks.indexOf(known.severity);
    if (change !== 0) known.events.push(change > 0 ? 'escalated' : 'eased');
    if (change > 0 && known.snoozedUntil !== null) {
      known.snoozedUntil = null;
      known.events.push('snooze_ended');
    }
    if (known.acceptedUntil !== null && (change > 0 || !isDeepStrictEqual(agreedOn(fault), agreedOn(known)))) {
      known.acceptedUntil = null;
      known.events.push('acceptance_ended');
    }
    const seen = { lastReport: run.report, seenAt: run.at, occurrences: known.occurrences + 1 };
    return Object.assign(known, fault, seen);
  }

  #begin({ at, report }: ModelRun, fault: Fault): ModelRow {
    const [previous = null] = this.rows
      .filter((row) => row.resolved !== null && isSame(row, fault))
      .sort((left, right) => (right.resolved?.at ?? 0) - (left.resolved?.at ?? 0));
    const row: ModelRow = {
      ...fault,
      createdAt: at,
      firstReport: report,
      lastReport: report,
      seenAt: at,
      occurrences: 1,
      resolved: null,
      isCorrected: false,
      acknowledgedAt: null,
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
  act(row: ModelRow, { action, by, at, until, assignee, note }: Deed): boolean {
    if (this.#refuses(row, action, at)) return false;
    Object.assign(
      row,
      {
        acknowledge: { acknowledgedAt: at, acknowledgedBy: by },
        assign: { assignee },
        comment: {},
        snooze: { snoozedUntil: until, acceptedUntil: null },
        accept: { acceptedUntil: until, snoozedUntil: null },
        resolve: { resolved: { at, by, note } },
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

/** The amounts that an acceptance holds for. */
function agreedOn({ expected, actual, difference, currency, metadata }: Fault): unknown[] {
  const { stake, also, also_amounts: amounts, astray } = metadata;
  return [difference ?? [expected, actual], currency, stake, also, amounts, astray];
}

function isSame(row: Fault, other: Fault): boolean {
  return row.subject === other.subject && row.kind === other.kind;
}

function clear({ at, report }: ModelRun, row: ModelRow, seen: readonly ModelRow[]): void {
  const successor = seen.find(({ subject }) => subject === row.subject);
  const became = successor === undefined ? 'cleared' : `became ${successor.kind}`;
  row.resolved = { at, by: 'system', note: `${became} in report ${report}` };
  row.events.push(successor === undefined ? 'cleared' : 'became');
  if (successor === undefined || (row.assignee === null && row.acknowledgedBy === null)) return;
  successor.assignee ??= row.assignee;
  successor.acknowledgedAt ??= row.acknowledgedAt;
  successor.acknowledgedBy ??= row.acknowledgedBy;
  successor.events.push('inherited');
}

/** A run corrected what it is about, and the check found nothing more. */
export function correct(row: ModelRow, at: number, correction: string): void {
  const note = `corrected (${correction}), and the check found nothing more`;
  Object.assign(row, { isCorrected: true, resolved: { at, by: 'system', note } });
  row.events.push('corrected');
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
    report_id: row.firstReport,
    check_type: check,
    kind: row.kind,
    fingerprint: fingerprintOf(check, row),
    severity: row.severity,
    expected_value: row.expected,
    actual_value: row.actual,
    difference: row.difference,
    currency: row.currency,
    affected_user_id: row.user,
    affected_entity: row.subject,
    auto_corrected: row.isCorrected,
    metadata: row.metadata,
    created_at: new Date(row.createdAt),
    last_report_id: row.lastReport,
    last_seen_at: new Date(row.seenAt),
    occurrences: row.occurrences,
    resolved_at: date(row.resolved?.at),
    resolved_by: row.resolved?.by ?? null,
    resolution_notes: row.resolved?.note ?? null,
    acknowledged_at: date(row.acknowledgedAt),
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

export function fingerprintOf(check: string, { kind, subject }: Pick<Fault, 'kind' | 'subject'>): string {
  return `${check}/${kind}/${subject}`;
}
