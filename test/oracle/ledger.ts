import {
  Exact,
  larger,
  same,
  totalOrZero,
  type AccountRow,
  type Amount,
  type EntryRow,
  type HeaderRow,
  type Host,
} from './host-tables.ts';
import type { Verdict } from './verdict.ts';

/** The moment of the cut and the grace period, in microseconds. */
export interface Moment {
  asOf: number;
  grace: number;
}

type Finding = Omit<Verdict, 'check' | 'subject' | 'user'>;

const nothing = { expected: null, actual: null, stake: null };

/** Kinds of transactions and of accounts. */
export function judgeLedger(host: Host, moment: Moment): Verdict[] {
  const { headers, entries } = host;
  const known = new Set(headers.map(({ id }) => id));
  const unknown = new Set(entries.map((entry) => entry.transaction_id).filter((id) => id !== null && !known.has(id)));
  return [
    ...headers.flatMap((header) => judgeTransaction(host, header.id, header, moment)),
    ...[...unknown].flatMap((id) => judgeTransaction(host, id, null, moment)),
    ...entries.filter((entry) => entry.transaction_id === null).flatMap((entry) => judgeLooseEntry(host, entry)),
    ...host.accounts.flatMap((account) => judgeAccount(host, account)),
  ];
}

function judgeTransaction(host: Host, id: string | null, header: HeaderRow | null, moment: Moment): Verdict[] {
  const entries = entriesOf(host, id);
  const findings = [
    ...judgeKeys(host, header, entries),
    ...judgeWriting(host, header, entries, moment),
    ...(header === null ? [] : [...judgeMirrors(host, header, moment), ...judgeMirrorOfNothing(host, header)]),
  ];
  return findings.map((finding) => ({
    check: 'ledger_consistency',
    subject: `transaction:${id ?? 'null'}`,
    user: header?.user_id ?? null,
    ...finding,
  }));
}

function judgeWriting(host: Host, header: HeaderRow | null, entries: EntryRow[], moment: Moment): Finding[] {
  const stage = stageOf(header, moment);
  if (entries.length === 0)
    return stage === 'posted' ? [{ kind: 'empty_transaction', ...nothing, currency: null }] : [];
  if (stage === 'open') return [];
  const sides = judgeSides(host, header, entries);
  if (stage === 'posted') return sides;
  const [expected, actual, currency] = [new Exact(0), amountOf(entries), currencyOf(entries)];
  return [...sides, { ...nothing, kind: 'posted_while_unposted', expected, actual, currency }];
}

/** `open`: may still be written. What is not known to be unposted counts as posted. */
function stageOf(header: HeaderRow | null, moment: Moment): 'posted' | 'unposted' | 'open' {
  if (header?.status === 'failed') return 'unposted';
  if (header?.status !== 'pending') return 'posted';
  return isRecent(header.created_at, moment) ? 'open' : 'unposted';
}

function judgeKeys(host: Host, header: HeaderRow | null, entries: EntryRow[]): Finding[] {
  const currency = currencyOf(entries);
  const findings: Finding[] = [];
  const orphans = entries.filter((entry) => entry.account_id !== null && accountsOf(host, entry).length === 0);
  const lost = header === null ? amountOf(entries) : totalOrZero(orphans.map(({ amount }) => amount));
  if (header === null || orphans.length > 0)
    findings.push({ ...nothing, kind: 'orphaned_entry', expected: lost, stake: lost, currency });
  if (entries.some(isInvalid)) findings.push({ ...nothing, kind: 'invalid_amount', currency });
  const elsewhere = entries.filter((entry) => {
    const currencies = accountsOf(host, entry).map((account) => account.currency);
    return entry.currency !== null && currencies.some((one) => one !== null) && !currencies.includes(entry.currency);
  });
  if (elsewhere.length > 0) {
    const stake = totalOrZero(elsewhere.map(({ amount }) => amount));
    findings.push({ ...nothing, kind: 'currency_mismatch', stake, currency });
  }
  return findings;
}

function isInvalid({ id, transaction_id, account_id, amount, entry_type, currency }: EntryRow): boolean {
  if (id === null || transaction_id === null || account_id === null || amount === null) return true;
  const value = new Exact(amount);
  if (!value.isFinite() || value.isNegative()) return true;
  return !['debit', 'credit'].includes(entry_type ?? '') || !['USDC', 'USD'].includes(currency ?? '');
}

function judgeSides(host: Host, header: HeaderRow | null, entries: EntryRow[]): Finding[] {
  const currency = currencyOf(entries);
  const [debits, credits] = [sideOf(entries, 'debit'), sideOf(entries, 'credit')];
  const findings: Finding[] = [];
  if (!['debit', 'credit'].every((side) => entries.some((entry) => entry.entry_type === side)))
    findings.push({ ...nothing, kind: 'one_sided_transaction', expected: debits, actual: credits, currency });
  const gap = gapOf(host, header, entries);
  if (gap !== null) findings.push({ ...nothing, kind: 'unbalanced_transaction', ...gap });
  if (entries.every(({ amount }) => amount !== null && new Exact(amount).isZero()))
    findings.push({ ...nothing, kind: 'zero_amount', currency });
  return findings;
}

/** Where debits and credits differ, the currency where they differ most; null if they agree. */
function gapOf(
  host: Host,
  header: HeaderRow | null,
  entries: EntryRow[],
): Pick<Finding, 'expected' | 'actual' | 'currency'> | null {
  const currencies = new Set(entries.map(({ currency }) => currency).filter((currency) => currency !== null));
  if (currencies.size > 1 && header !== null && mayCross(host, header)) {
    const [expected, actual] = [sideOf(entries, 'debit'), sideOf(entries, 'credit')];
    return namesJob(host, header) || same(expected, actual) ? null : { expected, actual, currency: null };
  }
  const sides = ['USDC', 'USD'].map((currency) => {
    const ofCurrency = entries.filter((entry) => entry.currency === currency);
    const [expected, actual] = [sideOf(ofCurrency, 'debit'), sideOf(ofCurrency, 'credit')];
    return { currency, expected, actual, gap: actual.minus(expected).abs() };
  });
  const [usdc, usd] = sides as [(typeof sides)[0], (typeof sides)[0]];
  if (usdc.gap.isZero() && usd.gap.isZero()) return null;
  const { currency, expected, actual } = same(larger(usd.gap, usdc.gap), usdc.gap) ? usdc : usd;
  return { currency, expected, actual };
}

/** What a reversal may have reversed: the transaction that it names, or those that name the same record. */
function parentsOf(host: Host, header: HeaderRow): HeaderRow[] {
  if (!isReversal(header) || header.status === 'failed' || header.reference_id === null) return [];
  if (namesTransaction(header)) return host.headers.filter(({ id }) => id === header.reference_id);
  return host.headers.filter(
    ({ id, reference_id, transaction_type }) =>
      id !== null && reference_id === header.reference_id && transaction_type !== 'reversal',
  );
}

function isReversal({ transaction_type, id }: HeaderRow): boolean {
  return transaction_type === 'reversal' && id !== null;
}

/** What a reversal did reverse: of a record the first reversal the first posting, any surplus the last one. */
function originalsOf(host: Host, header: HeaderRow): HeaderRow[] {
  const parents = parentsOf(host, header);
  if (namesTransaction(header)) return parents;
  const rivals = host.headers.filter(
    (other) =>
      !namesTransaction(other) && other.reference_id === header.reference_id && parentsOf(host, other).length > 0,
  );
  const postings = parents.filter(({ status }) => status !== 'failed' && status !== 'pending');
  const isNamed = ({ id }: HeaderRow) =>
    host.headers.some((other) => namesTransaction(other) && parentsOf(host, other).some((parent) => parent.id === id));
  const place = inOrder(rivals, ({ status }) => [status === 'reversed'])
    .map(keyOf)
    .indexOf(keyOf(header));
  return inOrder(postings, (posting) => [isNamed(posting), posting.status !== 'reversed'])
    .slice(0, place + 1)
    .slice(-1);
}

/** Distinct headers: those for which the questions hold come last, then the older one first. */
function inOrder(headers: HeaderRow[], questions: (header: HeaderRow) => boolean[]): HeaderRow[] {
  const rank = (header: HeaderRow) => {
    const { created_at, id, status } = header;
    const time = created_at === null ? '~' : String(created_at).padStart(20, '0');
    return [...questions(header).map(Number), time, id, status ?? '~'].join(' ');
  };
  return distinct(headers).sort((left, right) => (rank(left) < rank(right) ? -1 : 1));
}

export function namesTransaction(reversal: HeaderRow): boolean {
  return ['reversal', 'transaction', 'ledger_transaction'].includes(referenceOf(reversal) ?? 'reversal');
}

export function referenceOf({ reference_type, transaction_type }: HeaderRow): string | null {
  return (reference_type ?? transaction_type)?.toLowerCase() ?? null;
}

/** Everything that a transaction reverses, over as many turns as it takes. */
function ancestry(host: Host, header: HeaderRow, seen = new Set<HeaderRow>()): Set<HeaderRow> {
  for (const original of parentsOf(host, header)) if (!seen.has(original)) ancestry(host, original, seen.add(original));
  return seen;
}

const crossing = ['conversion', 'investment'];

function mayCross(host: Host, header: HeaderRow): boolean {
  return [header, ...ancestry(host, header)].some(({ transaction_type }) => crossing.includes(transaction_type ?? ''));
}

function namesJob(host: Host, header: HeaderRow): boolean {
  const isJob = (one: HeaderRow) =>
    one.reference_id !== null &&
    !one.idempotency_key?.startsWith('migration_') &&
    ['conversion', 'conversion_job'].includes(referenceOf(one) ?? '');
  return [header, ...ancestry(host, header)].some(isJob);
}

function judgeMirrorOfNothing(host: Host, header: HeaderRow): Finding[] {
  const entries = entriesOf(host, header.id);
  const isPosted = header.status !== 'failed' && header.status !== 'pending';
  const namesNothing = !host.headers.some(({ id }) => id !== null && id === header.reference_id);
  if (!isReversal(header) || !namesTransaction(header) || !isPosted || !namesNothing) return [];
  const actual = entries.length > 0 ? amountOf(entries) : null;
  return [{ ...nothing, kind: 'broken_reversal', actual, stake: actual, currency: currencyOf(entries) }];
}

function judgeMirrors(host: Host, header: HeaderRow, moment: Moment): Finding[] {
  const entries = entriesOf(host, header.id);
  const reverses = (other: HeaderRow) => originalsOf(host, other).some(({ id }) => id !== null && id === header.id);
  const mirrors = distinct(host.headers.filter(reverses));
  const standing = mirrors.filter(stands);
  const isBroken =
    header.status === 'reversed'
      ? !isUndoneOnce(host, header, mirrors, moment)
      : header.id !== null && standing.length > 0;
  if (!isBroken) return [];
  const expected = entries.length > 0 ? amountOf(entries) : null;
  const actual = totalOrZero(standing.map(({ id }) => amountOf(entriesOf(host, id)).toString()));
  // of an original without entries there is nothing to subtract: what its reversals move is all there is
  const stake = expected === null ? actual : null;
  return [{ kind: 'broken_reversal', expected, actual, stake, currency: currencyOf(entries) }];
}

/** What no word says to be unwritten or undone is in the books. */
function stands({ status }: HeaderRow): boolean {
  return !['failed', 'pending', 'reversed'].includes(status ?? '');
}

/** A key that stands twice, its constraint switched off, is still one reversal. */
function distinct(headers: HeaderRow[]): HeaderRow[] {
  return [...new Map(headers.map((header) => [keyOf(header), header])).values()];
}

function keyOf({ id, status, created_at }: HeaderRow): string {
  return `${id} ${status} ${created_at}`;
}

function isUndoneOnce(host: Host, header: HeaderRow, mirrors: HeaderRow[], moment: Moment): boolean {
  const standing = mirrors.filter(stands);
  if (standing.length === 1) return isMirror(entriesOf(host, header.id), entriesOf(host, standing[0]!.id));
  if (standing.length > 0) return false;
  // a reversal that was itself reversed has restored the original; one that is being written has its grace period
  return mirrors.some(
    ({ status, created_at }) => status === 'reversed' || (status === 'pending' && isRecent(created_at, moment)),
  );
}

function isMirror(original: EntryRow[], reversal: EntryRow[]): boolean {
  const other: Record<string, string> = { debit: 'credit', credit: 'debit' };
  const write = (entry: EntryRow, side: string | null | undefined) =>
    JSON.stringify([
      entry.account_id,
      entry.currency,
      entry.amount && new Exact(entry.amount).plus(0).toFixed(),
      side ?? null,
    ]);
  const left = original.map((entry) => write(entry, entry.entry_type)).sort();
  const right = reversal.map((entry) => write(entry, other[entry.entry_type ?? ''])).sort();
  return JSON.stringify(left) === JSON.stringify(right);
}

function judgeLooseEntry(host: Host, entry: EntryRow): Verdict[] {
  const accounts = accountsOf(host, entry);
  const users = accounts.length > 0 ? accounts.map(({ user_id }) => user_id) : [null];
  const subject = `entry:${entry.id ?? 'null'}`;
  return users.map((user) => ({
    check: 'ledger_consistency',
    kind: 'invalid_amount',
    subject,
    ...nothing,
    currency: entry.currency,
    user,
  }));
}

function judgeAccount(host: Host, account: AccountRow): Verdict[] {
  const { id, user_id, account_type, currency } = account;
  const entries = host.entries.filter((entry) => id !== null && entry.account_id === id);
  const balance = account.balance === null ? null : new Exact(account.balance);
  const proven = sideOf(entries, 'debit').minus(sideOf(entries, 'credit'));
  const twins = host.accounts.filter((other) => other.user_id === user_id && other.account_type === account_type);
  const first = twins
    .map((twin) => twin.id)
    .filter((twin) => twin !== null)
    .sort()[0];
  const findings: Omit<Finding, 'currency'>[] = [];
  if (balance === null) findings.push({ kind: 'balance_drift', expected: proven, actual: null, stake: proven.abs() });
  else if (!same(balance, proven))
    findings.push({ kind: 'balance_drift', expected: proven, actual: balance, stake: null });
  if (user_id !== null && balance?.lt(0))
    findings.push({ kind: 'negative_balance', expected: new Exact(0), actual: balance, stake: null });
  const namesakes = host.accounts.filter((other) => id !== null && other.id === id).length;
  for (const count of [id === first ? twins.length : 1, namesakes])
    if (count > 1)
      findings.push({ kind: 'duplicate_account', expected: new Exact(1), actual: new Exact(count), stake: null });
  return findings.map((finding) => ({
    check: 'ledger_consistency',
    subject: `account:${id ?? 'null'}`,
    user: user_id,
    currency: finding.kind === 'duplicate_account' ? null : currency,
    ...finding,
  }));
}

/** Ahead of the cut by no more than clocks may differ. */
export function isRecent(time: number | null, { asOf, grace }: Moment): boolean {
  return time !== null && time > asOf - grace && time <= asOf + grace;
}

export function entriesOf(host: Host, transactionId: string | null): EntryRow[] {
  return transactionId === null ? [] : host.entries.filter((entry) => entry.transaction_id === transactionId);
}

export function accountsOf(host: Host, entry: EntryRow): AccountRow[] {
  return entry.account_id === null ? [] : host.accounts.filter(({ id }) => id === entry.account_id);
}

function sideOf(entries: EntryRow[], side: string): Amount {
  return totalOrZero(entries.filter(({ entry_type }) => entry_type === side).map(({ amount }) => amount));
}

function amountOf(entries: EntryRow[]): Amount {
  return larger(sideOf(entries, 'debit'), sideOf(entries, 'credit'));
}

function currencyOf(entries: EntryRow[]): string | null {
  const currencies = new Set(entries.map(({ currency }) => currency).filter((currency) => currency !== null));
  return currencies.size === 1 ? [...currencies][0]! : null;
}
