import { subjectOf } from '../exceptions/exception.ts';
import { money, toText } from '../money.ts';
import type { Correction } from './correction.ts';
import { Refusal } from './refusal.ts';

/**
 * A balance is a sum that the host keeps beside its entries so that it need not add them up. The entries are the books:
 * immutable, and each of them proven by the run that found the drift, for nothing else is wrong with the account, its
 * user or a transaction on it. So the balance is opening + entries. Its row is locked while they are added up: a host
 * that moves a balance in the transaction of the entry, as a sound one does, cannot be overtaken.
 */
export const setBalance: Correction = {
  name: 'set_balance',
  kind: 'balance_drift',
  by: 'machine',
  meaning: 'sets the stored balance to opening + entries',
  tables: { ledger_consistency: 'ledger_accounts' },
  plan: (_site, { subject, expected, actual, difference, currency, affectedUserId }) => {
    const { id } = subjectOf(subject);
    if (id === undefined || expected === null || actual === null || difference === null || !money(expected).isFinite())
      throw new Refusal('What is stored, or what it should be, is not a number.');
    return Promise.resolve({
      amount: money(difference).abs(),
      currency,
      action: `balance of account ${id} moved by ${toText(money(difference).negated())}, to opening + entries`,
      rows: [{ table: 'ledger_accounts', id, before: { balance: actual }, after: { balance: expected } }],
      touches: {
        subjects: [subject],
        users: affectedUserId === null ? [] : [affectedUserId],
        accounts: [id],
        transactions: [],
      },
    });
  },
};
