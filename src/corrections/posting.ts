import { subjectOf } from '../exceptions/exception.ts';
import { money, toText, type Money } from '../money.ts';
import { uuidFrom } from '../uuid.ts';
import type { Plan } from './correction.ts';
import type { EntryDue, HostRow } from './host-tables.ts';
import { Refusal } from './refusal.ts';
import type { Balance, Site } from './site.ts';

/** What a posting by recon is: so much, for that record, under a key that can be used once. */
export interface Posting {
  /** `deposit:<id>` or `withdrawal:<id>`. */
  subject: string;
  amount: Money;
  /** The ids of its rows follow from it: what two people were shown is what is written. */
  idempotencyKey: string;
  /** In one sentence. */
  action: string;
}

/** The tables whose records recon can post, by their checks. */
export const postedRecords = { deposits: 'deposits', withdrawals: 'withdrawals' } as const;

/**
 * The rows of one transaction of two entries, as the host itself would book the record, with the balances after it: the
 * accounts are locked, in the order of their ids, before their balances are read. Throws a Refusal where it is not plain
 * which accounts are meant.
 */
export async function planPosting(site: Site, posting: Posting, entries: readonly EntryDue[]): Promise<Plan> {
  const { subject, amount, idempotencyKey, action } = posting;
  const { type, id = '' } = subjectOf(subject);
  const [debit, credit] = pairOf(entries, type);
  const accounts = [debit.account_id, credit.account_id].sort();
  await site.lock('ledger_accounts', accounts);
  const balances = await site.balances(accounts);
  const transactionId = uuidFrom(idempotencyKey);
  const header: HostRow = {
    table: 'ledger_transactions',
    id: transactionId,
    before: null,
    after: {
      user_id: debit.user_id,
      transaction_type: debit.transaction_type,
      reference_id: id,
      reference_type: debit.reference_type,
      status: 'completed',
      idempotency_key: idempotencyKey,
      description: 'recon: correction by two people',
    },
  };
  const own = [debit, credit].filter(({ account_user_id: user }) => user !== null);
  return {
    amount,
    currency: debit.currency,
    action,
    rows: [
      header,
      ...[debit, credit].map((entry) => entryRow(posting, entry)),
      ...[debit, credit]
        .toSorted((left, right) => (left.account_id < right.account_id ? -1 : 1))
        .map((entry) => balanceRow(entry, balances, amount)),
    ],
    touches: {
      subjects: [subject, ...accounts.map((account) => `account:${account}`)],
      users: debit.user_id === null ? [] : [debit.user_id],
      // on the firm's own accounts something is always wrong somewhere: these are checked by what they store
      accounts: own.map(({ account_id: account }) => account),
      transactions: [transactionId],
    },
  };
}

/** One debit and one credit, on two accounts of one currency, one of them of a user. */
function pairOf(entries: readonly EntryDue[], recordKind: string): [debit: EntryDue, credit: EntryDue] {
  const [debit, credit, ...others] = entries.toSorted((left, right) => (left.entry_type < right.entry_type ? 1 : -1));
  if (debit === undefined || credit === undefined || others.length > 0)
    throw new Refusal(`The accounts of this ${recordKind} are not two: ${entries.length} were found.`);
  const isPair =
    debit.entry_type === 'debit' &&
    credit.entry_type === 'credit' &&
    debit.account_id !== credit.account_id &&
    debit.currency === credit.currency;
  if (!isPair) throw new Refusal(`The accounts of this ${recordKind} are not a debit and a credit of one currency.`);
  return [debit, credit];
}

function entryRow(
  { idempotencyKey: key, amount }: Posting,
  { account_id: account, entry_type: type, currency }: EntryDue,
): HostRow {
  return {
    table: 'ledger_entries',
    id: uuidFrom(`${key}/${type}`),
    before: null,
    after: { transaction_id: uuidFrom(key), account_id: account, entry_type: type, amount: toText(amount), currency },
  };
}

function balanceRow({ account_id: account, entry_type: type }: EntryDue, known: Map<string, Balance>, amount: Money) {
  const stored = known.get(account);
  if (stored === undefined) throw new Refusal(`Account ${account} has no balance.`);
  const before = money(stored.balance);
  const after = type === stored.normal_side ? before.plus(amount) : before.minus(amount);
  return {
    table: 'ledger_accounts' as const,
    id: account,
    before: { balance: toText(before) },
    after: { balance: toText(after) },
  };
}
