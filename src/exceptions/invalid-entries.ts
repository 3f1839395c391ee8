import { money, toText } from '../money.ts';
import { subjectOf, type StoredException } from './exception.ts';
import type { InvolvedEntry } from './involved.ts';

interface Entry extends Pick<InvolvedEntry, 'entry_id' | 'transaction_id' | 'account_id' | 'amount' | 'currency'> {
  /** undefined: nobody wrote it down. */
  entry_type: string | null | undefined;
}

/**
 * Which fields of which entries are invalid, a sentence for each entry: what the findings of ledger_consistency mean by
 * `invalid_amount`. Of a transaction the entries as they are now, of an entry that belongs to none what was found then.
 */
export function invalidEntries(exception: StoredException, entries: readonly InvolvedEntry[]): string[] {
  if (exception.kind !== 'invalid_amount') return [];
  const { type, id } = subjectOf(exception.affected_entity);
  const looked = type === 'entry' ? [looseEntry(exception)] : entries.filter((entry) => entry.transaction_id === id);
  return looked
    .map((entry) => ({ entry, reasons: reasonsOf(entry) }))
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ entry, reasons }) => `entry ${entry.entry_id ?? 'without an id'}: ${reasons.join(', ')}.`);
}

function looseEntry({ affected_entity: subject, currency, metadata }: StoredException): Entry {
  const text = (name: string) => (typeof metadata[name] === 'string' ? metadata[name] : null);
  const isKnown = metadata['entry_type'] !== undefined;
  return {
    entry_id: subjectOf(subject).id ?? null,
    transaction_id: null,
    account_id: text('account_id'),
    entry_type: isKnown ? text('entry_type') : undefined,
    amount: text('amount'),
    currency,
  };
}

function reasonsOf(entry: Entry): string[] {
  const { entry_id: id, transaction_id: transaction, account_id: account, entry_type: side, currency } = entry;
  return [
    id === null && 'its id is null',
    transaction === null && 'it names no transaction (null)',
    account === null && 'it names no account (null)',
    whyNoAmount(entry.amount),
    side !== undefined &&
      !['debit', 'credit'].includes(side ?? '') &&
      `its entry type is ${shown(side)}, neither debit nor credit`,
    currency !== 'USDC' && currency !== 'USD' && `its currency is ${shown(currency)}, neither USDC nor USD`,
  ].filter((reason) => reason !== false);
}

function whyNoAmount(text: string | null): string | false {
  if (text === null) return 'its amount is null';
  const amount = money(text);
  if (amount.isNaN()) return 'its amount is NaN, no number';
  if (!amount.isFinite()) return `its amount is infinite (${text})`;
  return amount.isNegative() && !amount.isZero() && `its amount is negative (${toText(amount)})`;
}

function shown(text: string | null): string {
  return text === null ? 'null' : `“${text}”`;
}
