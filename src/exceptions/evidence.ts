import type { Transaction } from '../database/database.ts';
import { kindOf } from '../kinds.ts';
import { money, type Money } from '../money.ts';
import { pendingMax, type Case, type Item } from './causes.ts';
import { isOfCustodian, subjectOf, type StoredException } from './exception.ts';
import { countedKinds } from './filter.ts';
import { involvedMax, type Involved, type InvolvedEntry, type InvolvedRecord } from './involved.ts';

/**
 * What could explain the difference of an exception; undefined where it has none, or none in money. Of a custodian,
 * `involved` holds only records that are not final (`notFinal`).
 */
export async function caseOf(
  transaction: Transaction,
  schema: string,
  exception: StoredException,
  involved: Involved,
): Promise<Case | undefined> {
  const kind = kindOf(exception.kind);
  const { expected_value: expected, actual_value: actual, currency } = exception;
  if (kind === undefined || kind.unit !== 'money' || expected === null || actual === null) return undefined;
  const others = await otherExceptions(transaction, schema, exception);
  const ofCustodian = kind.of === 'custodian';
  return {
    expected: money(expected),
    actual: money(actual),
    expectedName: kind.expected ?? '',
    actualName: kind.actual ?? '',
    currency,
    ...sidesOf(exception, involved),
    fee: feeOf(exception, involved),
    pending: ofCustodian ? eachOnce([...others.map(withoutSign), ...pendingItems(exception, involved.records)]) : [],
    elsewhere: ofCustodian ? [] : others,
  };
}

/** Why a cause may have been overlooked; null: all that there is was tested. */
export function untestedOf({ pending }: Case, { records, entries, unreadable }: Involved): string | null {
  if (unreadable !== null)
    return 'The records and entries involved could not be read: nothing was tested against them.';
  if (pending.length > pendingMax || records.length === involvedMax)
    return `More than ${pendingMax} records are open or not final: whether some of them add up was not tried.`;
  return entries.length === involvedMax ? `Only ${involvedMax} entries were looked at.` : null;
}

/** More of them say nothing about this one. */
const othersMax = 100;

/** Open exceptions in the same currency: of a custodian all of its records', else those of the same amount. */
async function otherExceptions(transaction: Transaction, schema: string, exception: StoredException) {
  const { id, currency, difference } = exception;
  const ofCustodian = isOfCustodian(exception);
  const rows = await transaction<OtherException[]>`
    select other.id, other.kind, other.affected_entity, other.affected_user_id, other.difference
    from ${transaction(`${schema}.reconciliation_exceptions`)} as other
    where
      other.resolved_at is null
      and other.id <> ${id}
      and other.difference is not null
      and other.kind <> all (${countedKinds}::text[]) -- a number of things is no money
      and other.affected_entity is distinct from ${exception.affected_entity}
      and other.affected_entity is not null
      and (other.currency = ${currency} or other.currency is null)
      and (${ofCustodian} or other.difference = - ${difference}::numeric)
      and (${!ofCustodian} or other.check_type in ('deposits', 'withdrawals', 'conversion_jobs'))
    order by other.created_at desc, other.id
    limit ${othersMax}
  `;
  return rows.map((row) => ({
    subject: row.affected_entity,
    amount: money(row.difference),
    what: whatIs(row, exception),
  }));
}

interface OtherException {
  id: string;
  kind: string;
  affected_entity: string;
  affected_user_id: string | null;
  difference: string;
}

function whatIs(
  { id, kind, affected_entity: subject, affected_user_id: user }: OtherException,
  exception: StoredException,
) {
  const whose =
    user === null || exception.affected_user_id === null
      ? ''
      : user === exception.affected_user_id
        ? ' of the same user'
        : ' of another user';
  return `${kind} ${id.slice(0, 8)}, ${subject.replace(':', ' ')}${whose},`;
}

/** The items of which the two sides of the comparison are the sum. */
function sidesOf(
  { kind, currency, affected_entity: subject }: StoredException,
  { entries, postings, accounts }: Involved,
): Pick<Case, 'expectedItems' | 'actualItems'> {
  const { id } = subjectOf(subject);
  const inCurrency = entries.filter((entry) => entry.currency === currency);
  const own = inCurrency.filter((entry) => entry.transaction_id === id);
  const others = inCurrency.filter((entry) => entry.transaction_id !== id);
  const debits = (of: readonly InvolvedEntry[]) => itemsOf(of.filter((entry) => entry.entry_type === 'debit'));
  const credits = (of: readonly InvolvedEntry[]) => itemsOf(of.filter((entry) => entry.entry_type === 'credit'));
  if (kind === 'balance_drift') return { expectedItems: movementsOf(inCurrency, accounts), actualItems: [] };
  if (kind === 'unbalanced_transaction') return { expectedItems: debits(own), actualItems: credits(own) };
  if (kind === 'broken_reversal') return { expectedItems: [], actualItems: debits(others) };
  const standing = postings.filter(({ status }) => status !== 'failed' && status !== 'pending');
  return { expectedItems: [], actualItems: itemsOf(standing.filter((posting) => posting.currency === currency)) };
}

/** What the entries of an account do to its balance. */
function movementsOf(entries: readonly InvolvedEntry[], [account]: Involved['accounts']): Item[] {
  const isRaised = (entry: InvolvedEntry) => entry.entry_type === account?.normal_side;
  const lowering = itemsOf(entries.filter((entry) => !isRaised(entry)));
  return [...itemsOf(entries.filter(isRaised)), ...lowering.map(turned)];
}

/** Those that the host has an amount of. */
function itemsOf(entries: readonly { entry_id: string | null; amount: string | null }[]): Item[] {
  return entries.flatMap(({ entry_id: id, amount }) =>
    amount === null ? [] : [{ subject: `entry:${id ?? ''}`, amount: money(amount) }],
  );
}

function turned(item: Item): Item {
  return { ...item, amount: item.amount.negated() };
}

/** The fee of the one record that an exception is about; a conversion keeps it back from what it pays out. */
export function feeOf(
  { currency }: Pick<StoredException, 'currency'>,
  { records: [record, other] }: Pick<Involved, 'records'>,
): Money | null {
  if (record === undefined || other !== undefined || record.fees === null) return null;
  return (record.destination_currency ?? record.currency) === currency ? money(record.fees) : null;
}

/** Of records, those that were there when an exception was seen last, and are not final: their money may be on either side. */
export function notFinal(
  { last_seen_at: seenAt }: Pick<StoredException, 'last_seen_at'>,
  records: readonly InvolvedRecord[],
): InvolvedRecord[] {
  const wasThere = (createdAt: string | null) => createdAt === null || Date.parse(createdAt) <= Date.parse(seenAt);
  return records.filter(({ state, created_at: createdAt }) => state === 'pending' && wasThere(createdAt));
}

/** What of their money is in the currency of the exception. */
function pendingItems({ currency }: StoredException, records: readonly InvolvedRecord[]): Item[] {
  return records.flatMap((record) => {
    const arrives = record.destination_currency === currency && record.currency !== currency;
    const fits = arrives || record.currency === currency || record.currency === null;
    const amount = arrives ? record.destination_amount : record.amount;
    return fits && amount !== null ? [{ subject: `${record.record_kind}:${record.id}`, amount: money(amount) }] : [];
  });
}

/** A record that is not final may be an exception as well: the first one counts. */
function eachOnce(items: readonly Item[]): Item[] {
  return items.filter((item, index) => items.findIndex(({ subject }) => subject === item.subject) === index);
}

function withoutSign(item: Item): Item {
  return { ...item, amount: item.amount.abs() };
}
