import { flowed } from '../flowed.ts';
import { involvedMax, type Involved, type InvolvedEntry } from '../exceptions/involved.ts';
import { money, toText } from '../money.ts';
import { plain } from '../plain.ts';
import {
  currencyText,
  excerpt,
  indented,
  localTime,
  shortenerOf,
  shortSubject,
  within,
  type Screen,
  type Shorten,
} from './screen.ts';
import { renderTable, type Column } from './table.ts';

/** How the ids of all that is involved are cut, so that each can be told from the others. */
export function shortenerOfInvolved({ records, postings, entries, accounts }: Involved): Shorten {
  return shortenerOf([
    ...records.map(({ id }) => id),
    ...postings.flatMap(({ transaction_id: transaction, user_id: user }) => [transaction, user]),
    ...entries.flatMap((entry) => [entry.transaction_id, entry.reference_id, entry.entry_id, entry.user_id]),
    ...entries.map(({ account_id: account }) => account),
    ...accounts.flatMap(({ id, user_id: user }) => [id, user]),
  ]);
}

export function recordTable({ records, unreadable }: Involved, shorten: Shorten, { columns }: Screen): string {
  if (unreadable !== null) return flowed('', `They could not be read: ${excerpt(unreadable)}`, columns);
  if (records.length === 0) return '';
  return cutShort(
    records,
    renderTable(
      [
        { header: 'record' },
        amountColumn,
        { header: '' },
        { header: 'state' },
        { header: 'status', wraps: true },
        { header: 'created' },
      ],
      records.map((record) => [
        shortSubject(`${record.record_kind}:${record.id}`, shorten),
        amountOf(record.amount),
        currencyText(record.currency),
        plain(record.state),
        excerpt(record.status ?? '-', 40),
        timeOf(record.created_at),
      ]),
      columns,
    ),
  );
}

export function accountTable({ accounts }: Involved, shorten: Shorten, { columns }: Screen): string {
  if (accounts.length === 0) return '';
  return renderTable(
    [
      { header: 'account' },
      { header: 'type', wraps: true },
      { header: 'stored balance', align: 'right' },
      { header: '' },
      { header: 'user' },
    ],
    accounts.map((account) => [
      shorten(account.id),
      excerpt(account.account_type ?? '-', 40),
      amountOf(account.balance),
      currencyText(account.currency),
      userOf(account.user_id, shorten),
    ]),
    columns,
  );
}

export function postingTable({ postings }: Involved, shorten: Shorten, { columns }: Screen): string {
  if (postings.length === 0) return '';
  return cutShort(
    postings,
    renderTable(
      [
        { header: 'transaction' },
        { header: 'leg' },
        amountColumn,
        { header: '' },
        { header: 'account', wraps: true },
        { header: 'user' },
      ],
      postings.map((posting) => [
        shorten(posting.transaction_id),
        plain(posting.leg),
        amountOf(posting.amount),
        currencyText(posting.currency),
        excerpt(posting.account_type ?? '-', 40),
        userOf(posting.user_id, shorten),
      ]),
      columns,
    ),
  );
}

/** Each transaction with its entries below it. */
export function entryTables({ entries }: Involved, shorten: Shorten, screen: Screen): string {
  const ids = [...new Set(entries.map(({ transaction_id: id }) => id))];
  const tables = ids
    .map((id) => {
      const own = entries.filter(({ transaction_id: other }) => other === id);
      return `${own
        .slice(0, 1)
        .map((entry) => flowed('', transactionLine(entry, shorten, screen), screen.columns))
        .join('')}${indented(entryTable(own, shorten, within(screen)))}`;
    })
    .join('');
  return cutShort(entries, tables);
}

function transactionLine(entry: InvolvedEntry, shorten: Shorten, screen: Screen): string {
  const { transaction_id: id, transaction_type: type, status, reference_type: names, reference_id: reference } = entry;
  return [
    screen.strong(`transaction ${id === null ? 'none' : shorten(id)}`),
    type === null ? 'without a header' : excerpt(type, 40),
    excerpt(status ?? '', 40),
    timeOf(entry.created_at),
    reference === null ? '' : `for ${excerpt(names ?? '', 40)} ${shorten(reference)}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function entryTable(entries: readonly InvolvedEntry[], shorten: Shorten, { columns }: Screen): string {
  const rows = entries.filter(({ entry_id: id }) => id !== null);
  if (rows.length === 0) return 'no entries\n';
  return renderTable(
    [
      { header: 'entry' },
      { header: 'side' },
      amountColumn,
      { header: '' },
      { header: 'account', wraps: true },
      { header: 'user' },
    ],
    rows.map((entry) => [
      shorten(entry.entry_id ?? ''),
      excerpt(entry.entry_type ?? '-', 40),
      amountOf(entry.amount),
      currencyText(entry.currency),
      excerpt(
        entry.account_type ?? (entry.account_id === null ? '-' : `${shorten(entry.account_id)}, which does not exist`),
        40,
      ),
      userOf(entry.user_id, shorten),
    ]),
    columns,
  );
}

const amountColumn: Column = { header: 'amount', align: 'right' };

/** Hosts keep amounts at scales of their own. */
function amountOf(amount: string | null): string {
  return amount === null ? '-' : toText(money(amount));
}

function userOf(id: string | null, shorten: Shorten): string {
  return id === null ? '-' : shorten(id);
}

function timeOf(time: string | null): string {
  return time === null ? '-' : localTime(time);
}

/** Says where there may be more than these. */
function cutShort(rows: readonly unknown[], table: string): string {
  return rows.length < involvedMax ? table : `${table}No more than ${involvedMax} are read: --sql asks for all.\n`;
}
