import type { Transaction } from '../database/database.ts';
import { kinds as knownKinds, type Severity } from '../kinds.ts';
import { stands, type Status } from './state.ts';

/** Which exceptions are meant. What is empty, undefined or null leaves none out. */
export interface ExceptionFilter {
  status: Status;
  /** The moment at which it stands so. */
  at: Date;
  severities: readonly Severity[];
  checks: readonly string[];
  kinds: readonly string[];
  userId: string | undefined;
  /** Exceptions that this report saw. */
  reportId: string | undefined;
  /** First seen from this moment on. RFC 3339. */
  since: string | null;
  /** First seen before this moment. RFC 3339. */
  until: string | null;
  /** Limits of the amount (`amountOf`), both included: exact decimal text. */
  amountMin: string | undefined;
  amountMax: string | undefined;
  /** null: nobody's. */
  assignee: string | null | undefined;
  /** Only what nobody has (`holderOf`): neither somebody's nor taken up. */
  isFree: boolean;
  /** Part of the description, of the subject or of a note, whatever its case. */
  text: string | undefined;
  /** Only these: whole ids. */
  ids: readonly string[] | undefined;
}

/** Everything, open and resolved; a view overrides the parts it wants. */
export const anyException: ExceptionFilter = {
  status: 'all',
  at: new Date(0),
  severities: [],
  checks: [],
  kinds: [],
  userId: undefined,
  reportId: undefined,
  since: null,
  until: null,
  amountMin: undefined,
  amountMax: undefined,
  assignee: undefined,
  isFree: false,
  text: undefined,
  ids: undefined,
};

/** The condition on a row of reconciliation_exceptions, `exception`. It names only what the filter asks for: indexes serve it. */
export function matches(transaction: Transaction, schema: string, filter: ExceptionFilter) {
  return [
    ...whereabouts(transaction, schema, filter),
    ...worth(transaction, filter),
    ...(filter.text === undefined ? [] : [mentions(transaction, schema, filter.text)]),
  ].reduce((all, condition) => transaction`${all} and ${condition}`, stands(transaction, filter.status, filter.at));
}

function whereabouts(transaction: Transaction, schema: string, filter: ExceptionFilter) {
  const { ids, severities, checks, kinds, userId, reportId, assignee, isFree } = filter;
  return [
    ids !== undefined && transaction`exception.id = any (${[...ids]}::uuid[])`,
    severities.length > 0 && transaction`exception.severity = any (${[...severities]}::text[])`,
    checks.length > 0 && transaction`exception.check_type = any (${[...checks]}::text[])`,
    kinds.length > 0 && transaction`exception.kind = any (${[...kinds]}::text[])`,
    userId !== undefined && transaction`exception.affected_user_id = ${userId}`,
    reportId !== undefined &&
      transaction`
      exists (
        select from ${transaction(`${schema}.reconciliation_findings`)} as finding
        where finding.exception_id = exception.id and finding.report_id = ${reportId}
      )`,
    assignee !== undefined && transaction`exception.assignee is not distinct from ${assignee}::text`,
    isFree && transaction`coalesce(exception.assignee, exception.acknowledged_by) is null`,
  ].filter((condition) => condition !== false);
}

function worth(transaction: Transaction, { since, until, amountMin, amountMax }: ExceptionFilter) {
  const amount = amountOf(transaction, 'exception');
  return [
    since !== null && transaction`exception.created_at >= ${since}::timestamptz`,
    until !== null && transaction`exception.created_at < ${until}::timestamptz`,
    amountMin !== undefined && transaction`${amount} >= ${amountMin}::numeric`,
    amountMax !== undefined && transaction`${amount} <= ${amountMax}::numeric`,
  ].filter((condition) => condition !== false);
}

function mentions(transaction: Transaction, schema: string, text: string) {
  const holds = (column: string) => transaction`strpos(lower(${transaction(column)}), lower(${text})) > 0`;
  return transaction`(
    ${holds('exception.description')}
    or ${holds('exception.affected_entity')}
    or exception.id in (
      select happened.exception_id
      from ${transaction(`${schema}.reconciliation_exception_events`)} as happened
      where ${holds('happened.note')}
    )
  )`;
}

/** Kinds whose difference is a number of things. */
export const countedKinds = knownKinds.filter(({ unit }) => unit === 'count').map(({ name }) => name);

/** The money of an exception: |difference|, else what is at stake; null where there is none. `row` names the table. */
export function amountOf(transaction: Transaction, row: string) {
  const column = (name: string) => transaction(`${row}.${name}`);
  return transaction`
    case
      when ${column('kind')} = any (${countedKinds}::text[]) then null
      when ${column('difference')} is not null then abs(${column('difference')})
      -- what recon adopted from the first version may hold anything there
      when ${column('kind')} <> 'unclassified' then (${column('metadata')} ->> 'stake')::numeric
    end
  `;
}

/** Of amounts (`amountOf`): whether one is there that cannot be added up. `numeric` takes NaN for larger than infinity. */
export function isUnknown(transaction: Transaction, amount: ReturnType<typeof amountOf>) {
  return transaction`abs(${amount}) >= 'infinity'`;
}
