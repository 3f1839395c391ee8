import {
  type AccountRow,
  type Amount,
  type EntryRow,
  Exact,
  groupBy,
  type HeaderRow,
  type Host,
  larger,
  total,
  totalOrZero,
} from './host-tables.ts';
import { accountsOf, entriesOf, isRecent, namesTransaction, referenceOf, type Moment } from './ledger.ts';
import type { Verdict } from './verdict.ts';

export type RecordKind = 'deposit' | 'withdrawal' | 'conversion_job';

/** What a record says that the ledger should show. A leg without an amount is not compared. */
export interface RecordOf {
  id: string | null;
  /** Null where a record belongs to nobody, or, of a job, to many. */
  user: string | null;
  hasOwner: boolean;
  state: 'pending' | 'settled' | 'failed' | 'unknown';
  settledAt: number | null;
  createdAt: number | null;
  source: Leg;
  destination: Leg;
  /** The transaction that a job names. */
  link: string | null;
}

interface Leg {
  amount: string | null;
  currency: string | null;
}

const noLeg: Leg = { amount: null, currency: null };

/** One entry that books a record; negative if it takes a booking back. */
export interface Posting {
  recordId: string | null;
  transactionId: string | null;
  status: string | null;
  leg: 'source' | 'destination';
  user: string | null;
  currency: string | null;
  amount: string | null;
}

/** The host's words, record by record. */
export function recordsOf(host: Host, kind: RecordKind): RecordOf[] {
  if (kind === 'conversion_job') return host.jobs.map(jobOf);
  if (kind === 'withdrawal')
    return host.withdrawals.map((row) => ({
      id: row.id,
      user: row.user_id,
      hasOwner: true,
      state: stateIn(row.status, withdrawalStates),
      settledAt: row.completed_at ?? row.created_at,
      createdAt: row.created_at,
      source: { amount: row.amount, currency: null },
      destination: noLeg,
      link: null,
    }));
  return host.deposits.map((row) => ({
    id: row.id,
    user: row.user_id,
    hasOwner: true,
    state: stateIn(row.status, depositStates),
    settledAt: row.alpaca_funded_at ?? row.off_ramp_completed_at ?? row.confirmed_at ?? row.created_at,
    createdAt: row.created_at,
    source: noLeg,
    destination: { amount: row.amount, currency: row.token?.toUpperCase() ?? null },
    link: null,
  }));
}

type States = Record<'pending' | 'settled' | 'failed', string[]>;

const depositStates: States = {
  pending: ['pending', 'confirmed', 'off_ramp_initiated', 'off_ramp_completed'],
  settled: ['broker_funded', 'completed'],
  failed: ['failed', 'reversed'],
};
const withdrawalStates: States = {
  pending: ['pending', 'initiated', 'processing', 'alpaca_debited', 'due_processing', 'onchain_transfer'],
  settled: ['completed'],
  failed: ['failed', 'reversed', 'timeout'],
};
const jobStates: States = {
  pending: ['pending', 'provider_submitted', 'provider_processing', 'provider_completed', 'ledger_updating'],
  settled: ['completed'],
  failed: ['failed', 'cancelled'],
};

function stateIn(status: string | null, states: States): RecordOf['state'] {
  const state = (['pending', 'settled', 'failed'] as const).find((name) => states[name].includes(status ?? ''));
  return state ?? 'unknown';
}

function jobOf(row: Host['jobs'][number]): RecordOf {
  const amount = row.source_amount ?? row.amount;
  const currencies = { usdc_to_usd: ['USDC', 'USD'], usd_to_usdc: ['USD', 'USDC'] } as Record<string, string[]>;
  const [from = null, to = null] = currencies[row.direction ?? ''] ?? [];
  const arrives = row.destination_amount ?? converted(amount, row.exchange_rate, row.fees_paid);
  return {
    id: row.id,
    user: null,
    hasOwner: false,
    state: stateIn(row.status, jobStates),
    settledAt: row.completed_at ?? row.created_at,
    createdAt: row.created_at,
    source: { amount, currency: from },
    destination: { amount: arrives, currency: to },
    link: row.ledger_transaction_id,
  };
}

/** Source x rate - fees, with as many decimals as the source has. */
function converted(amount: string | null, rate: string | null, fees: string | null): string | null {
  if (amount === null || rate === null) return null;
  const exact = new Exact(amount).times(rate).minus(fees ?? 0);
  if (!exact.isFinite()) return null;
  return exact.toFixed(amount.split('.')[1]?.length ?? 0);
}

/** Every entry that books a record of the kind, also those of transactions that are not posted. */
export function postingsOf(host: Host, kind: RecordKind): Posting[] {
  return host.headers.flatMap((header) =>
    bookingsOf(host, header).flatMap((booking) => {
      if (booking.kind !== kind) return [];
      return entriesOf(host, header.id).flatMap((entry) => postingOf(host, header, booking, entry));
    }),
  );
}

interface Booking {
  kind: RecordKind;
  recordId: string | null;
  turned: boolean;
}

/** What a transaction books, or takes back or restores by reversing, over as many turns as it takes. */
function bookingsOf(host: Host, header: HeaderRow, later: HeaderRow[] = []): Booking[] {
  const turned = header.transaction_type === 'reversal';
  const kind = recordKindOf(header);
  if (kind !== null) return [{ kind, recordId: header.reference_id, turned }];
  if (!turned || !namesTransaction(header) || later.includes(header)) return [];
  const originals = host.headers.filter(({ id }) => id !== null && id === header.reference_id);
  return originals.flatMap((original) =>
    bookingsOf(host, original, [...later, header]).map((booking) => ({ ...booking, turned: !booking.turned })),
  );
}

function recordKindOf(header: HeaderRow): RecordKind | null {
  if (header.idempotency_key?.startsWith('migration_')) return null;
  const reference = referenceOf(header) ?? '';
  if (['deposit', 'allocation_split'].includes(reference)) return 'deposit';
  if (reference === 'withdrawal') return 'withdrawal';
  return ['conversion', 'conversion_job'].includes(reference) && header.reference_id !== null ? 'conversion_job' : null;
}

function postingOf(host: Host, header: HeaderRow, { kind, recordId, turned }: Booking, entry: EntryRow): Posting[] {
  if (!['debit', 'credit'].includes(entry.entry_type ?? '')) return [];
  const [account] = accountsOf(host, entry).sort((left, right) =>
    (left.user_id ?? '~') < (right.user_id ?? '~') ? -1 : 1,
  );
  const leg = (entry.entry_type === 'debit') === turned ? 'source' : 'destination';
  if (!books(kind, leg, account)) return [];
  const amount = entry.amount === null || !turned ? entry.amount : new Exact(entry.amount).neg().toString();
  const { currency } = entry;
  return [
    {
      recordId,
      transactionId: header.id,
      status: header.status,
      leg,
      user: account?.user_id ?? null,
      currency,
      amount,
    },
  ];
}

/** A deposit is the debits on users' accounts, a withdrawal the credits; whose an unknown account is, nobody knows. */
function books(kind: RecordKind, leg: Posting['leg'], account: AccountRow | undefined): boolean {
  const isUsers = account === undefined || account.user_id !== null;
  if (kind === 'deposit') return leg === 'destination' && isUsers;
  return kind === 'conversion_job' || (leg === 'source' && isUsers);
}

/** A record beside everything that was booked for it. */
export interface Compared extends RecordOf {
  copies: number;
  /** Settled so recently that the ledger need not know. */
  inGrace: boolean;
  overdue: boolean;
  bookings: number;
  reversals: number;
  posted: { source: Amount; destination: Amount };
  astray: boolean;
  /** The transactions that book it; not those that take a booking back. */
  bookedBy: Set<string | null>;
  /** The leg to show: the one that disagrees, the source first. */
  shown: { amount: string | null; posted: Amount; currency: string | null };
  /** What the host names, or what was booked. */
  currencies: { source: string | null; destination: string | null };
}

export function compare(records: RecordOf[], postings: Posting[], moment: Moment, deadline: number): Compared[] {
  const standing = postings.filter(({ status }) => status !== 'pending' && status !== 'failed');
  return records.map((record) => {
    const own = standing.filter(({ recordId }) => recordId !== null && recordId === record.id);
    const parts = [...groupBy(own, ({ transactionId }) => transactionId)];
    const bookings = parts.filter(([, part]) => !isNegative(total(part.map(({ amount }) => amount))));
    const posted = { source: sumOf(own, 'source'), destination: sumOf(own, 'destination') };
    return {
      ...record,
      copies: records.filter(({ id }) => id === record.id).length,
      inGrace: record.state === 'settled' && isRecent(record.settledAt, moment),
      overdue: record.state === 'pending' && !isUnderWay(record.createdAt, moment, deadline),
      bookings: bookings.length,
      reversals: parts.length - bookings.length,
      posted,
      astray: isAstray(record, own),
      bookedBy: new Set(bookings.map(([transactionId]) => transactionId)),
      shown: shownOf(record, posted, own),
      currencies: { source: currencyOf(record, 'source', own), destination: currencyOf(record, 'destination', own) },
    };
  });
}

/** NaN and no amount at all are not. */
function isNegative(sum: Amount | null): boolean {
  return sum !== null && sum.lt(0);
}

function isUnderWay(createdAt: number | null, { asOf, grace }: Moment, deadline: number): boolean {
  return createdAt !== null && createdAt > asOf - deadline && createdAt <= asOf + grace;
}

function sumOf(postings: Posting[], leg: Posting['leg']): Amount {
  return totalOrZero(postings.filter((posting) => posting.leg === leg).map(({ amount }) => amount));
}

/** Whether anything stands, net of reversals, with another user or in another currency. */
function isAstray(record: RecordOf, postings: Posting[]): boolean {
  const elsewhere = postings.filter(({ leg, user, currency }) => {
    const due = record[leg].currency;
    const isOthers = record.user !== null && user !== null && user !== record.user;
    return isOthers || (due !== null && currency !== null && currency !== due);
  });
  const places = groupBy(elsewhere, ({ leg, user, currency }) => `${leg} ${user} ${currency}`);
  return [...places.values()].some((place) => !totalOrZero(place.map(({ amount }) => amount)).isZero());
}

function shownOf(record: RecordOf, posted: Compared['posted'], postings: Posting[]): Compared['shown'] {
  const differs = (leg: Posting['leg']) => {
    const due = record[leg].amount;
    return due !== null && !posted[leg].eq(record.state === 'failed' ? 0 : due) && !bothNaN(posted[leg], due);
  };
  const leg =
    record.source.amount !== null && (differs('source') || !differs('destination')) ? 'source' : 'destination';
  return { amount: record[leg].amount, posted: posted[leg], currency: currencyOf(record, leg, postings) };
}

function currencyOf(record: RecordOf, leg: Posting['leg'], postings: Posting[]): string | null {
  const booked = postings.filter((posting) => posting.leg === leg).map(({ currency }) => currency);
  return record[leg].currency ?? booked.filter((currency) => currency !== null).sort()[0] ?? null;
}

function bothNaN(left: Amount, right: string): boolean {
  return left.isNaN() && new Exact(right).isNaN();
}

const checkNames = { deposit: 'deposits', withdrawal: 'withdrawals', conversion_job: 'conversion_jobs' };

/** Kinds of records. */
export function judgeRecords(host: Host, kind: RecordKind, moment: Moment, deadline: number): Verdict[] {
  const records = recordsOf(host, kind);
  const postings = postingsOf(host, kind);
  const compared = compare(records, postings, moment, deadline);
  const check = checkNames[kind];
  return [
    ...compared.flatMap((record) => {
      const subject = `${kind}:${record.id ?? 'null'}`;
      return judgeRecord(record).map((finding) => ({
        check,
        subject,
        user: record.user,
        currency: record.shown.currency,
        ...finding,
      }));
    }),
    ...judgeRecordless(postings, records).map((finding) => ({ check, ...finding })),
  ];
}

type Finding = Pick<Verdict, 'kind' | 'expected' | 'actual' | 'stake'>;

function judgeRecord(record: Compared): Finding[] {
  const invalid = !isValid(record) || record.copies > 1 ? [unreadable('invalid_record', record)] : [];
  if (record.state === 'unknown') return [...invalid, unreadable('unknown_status', record)];
  return [
    ...invalid,
    ...(record.astray ? [stakes('wrong_account', record)] : []),
    ...judgeAmounts(record),
    ...(record.state === 'failed' ? judgeFailed(record) : []),
    ...(record.state === 'settled' ? judgeSettled(record) : []),
    ...(record.overdue ? [stakes('stuck', record)] : []),
  ];
}

function judgeAmounts(record: Compared): Finding[] {
  const { shown, bookings, reversals, state, overdue } = record;
  const findings: Finding[] = [];
  if (bookings - reversals > 1 && shown.amount !== null && exceeds(shown.posted, new Exact(shown.amount)))
    findings.push({ ...differ('duplicate_posting', record, shown.posted), stake: furthestLeg(record) });
  if (bookings + reversals > 0 && (state === 'settled' || overdue) && legsDiffer(record))
    findings.push({ ...differ('amount_mismatch', record, shown.posted), stake: furthestLeg(record) });
  return findings;
}

/** By how much the leg that is further off is off. */
function furthestLeg({ state, posted, ...record }: Compared): Amount {
  const off = (['source', 'destination'] as const).flatMap((leg) => {
    const due = state === 'failed' ? '0' : record[leg].amount;
    return due === null ? [] : [posted[leg].minus(due).abs()];
  });
  return off.reduce(larger, new Exact(0));
}

function judgeFailed(record: Compared): Finding[] {
  if (netNothing(record)) return [];
  return [
    { kind: 'posted_for_failed', expected: new Exact(0), actual: record.shown.posted, stake: furthestLeg(record) },
  ];
}

function judgeSettled(record: Compared): Finding[] {
  const { bookings, reversals, inGrace, hasOwner, bookedBy, link } = record;
  const findings: Finding[] = [];
  if (bookings > 0 && reversals > 0 && netNothing(record)) findings.push(lacking('reversed_for_settled', record));
  if (inGrace) return findings;
  if (bookings + reversals === 0) findings.push(lacking('missing_in_ledger', record));
  if (!hasOwner && bookings > 0 && !bookedBy.has(link ?? 'none'))
    findings.push({ kind: 'unlinked', expected: null, actual: null, stake: null });
  return findings;
}

function netNothing({ posted }: Compared): boolean {
  return posted.source.isZero() && posted.destination.isZero();
}

function dueOf({ shown }: Compared): Amount | null {
  return shown.amount === null ? null : new Exact(shown.amount);
}

function stakes(kind: string, record: Compared): Finding {
  return { kind, expected: null, actual: null, stake: dueOf(record) };
}

/** What its record says is worth little: what was posted is at stake as well, on whichever leg. */
function unreadable(kind: string, record: Compared): Finding {
  const { source, destination } = record.posted;
  const sides = [dueOf(record) ?? new Exact(0), source, destination].map((amount) => amount.abs());
  return { kind, expected: null, actual: null, stake: sides.reduce(larger) };
}

function differ(kind: string, record: Compared, actual: Amount): Finding {
  return { kind, expected: dueOf(record), actual, stake: null };
}

/** All of the record is missing, however much that is: an unknown amount may be any, and a job's is what it takes. */
function lacking(kind: string, record: Compared): Finding {
  const expected = dueOf(record);
  const isUnknown = record.hasOwner ? expected === null : record.source.amount === null;
  return { kind, expected, actual: new Exact(0), stake: isUnknown ? new Exact(NaN) : null };
}

/** NaN is more than any amount. */
function exceeds(posted: Amount, amount: Amount): boolean {
  return posted.isNaN() ? !amount.isNaN() : posted.gt(amount);
}

export function isValid({ id, user, hasOwner, source, destination }: RecordOf): boolean {
  const sides = hasOwner ? [source.amount ?? destination.amount] : [source.amount, destination.amount ?? source.amount];
  const isMoney = (amount: string | null) => amount !== null && new Exact(amount).isFinite() && new Exact(amount).gt(0);
  return id !== null && (user !== null || !hasOwner) && sides.every(isMoney);
}

function legsDiffer({ source, destination, posted }: Compared): boolean {
  const differs = ({ amount: due }: Leg, amount: Amount) => due !== null && !amount.eq(due) && !bothNaN(amount, due);
  return differs(source, posted.source) || differs(destination, posted.destination);
}

/** Postings of records that do not exist, unless they and their reversals are nothing together. */
function judgeRecordless(postings: Posting[], records: RecordOf[]): Omit<Verdict, 'check'>[] {
  const recordless = recordlessOf(postings, records);
  const nets = groupBy(recordless, netKey);
  const left = recordless.filter((posting) => {
    const net = total(nets.get(netKey(posting))!.map(({ amount }) => amount));
    if (net === null || net.isZero()) return false;
    if (posting.recordId !== null) return true;
    const amount = posting.amount === null ? null : new Exact(posting.amount);
    return posting.status !== 'reversed' && amount !== null && (amount.isNaN() || amount.gt(0));
  });
  return Array.from(
    groupBy(left, ({ transactionId }) => transactionId),
    ([id, group]) => {
      const sources = group.filter(({ leg }) => leg === 'source');
      const sourceSum = total(sources.map(({ amount }) => amount));
      return {
        kind: 'missing_in_source',
        subject: `transaction:${id}`,
        expected: new Exact(0),
        actual: sourceSum ?? total(group.map(({ amount }) => amount)),
        stake: null,
        currency: first(sources.map(({ currency }) => currency)) ?? first(group.map(({ currency }) => currency)),
        user: first(group.map(({ user }) => user)),
      };
    },
  );
}

export function recordlessOf(postings: Posting[], records: RecordOf[]): Posting[] {
  const known = new Set(records.map(({ id }) => id).filter((id) => id !== null));
  const isPosted = ({ status }: Posting) => status !== 'pending' && status !== 'failed';
  return postings.filter((posting) => isPosted(posting) && (posting.recordId === null || !known.has(posting.recordId)));
}

function netKey({ recordId, leg, transactionId }: Posting): string {
  return `${recordId ?? transactionId} ${leg}`;
}

function first(texts: (string | null)[]): string | null {
  return texts.filter((text) => text !== null).sort()[0] ?? null;
}
