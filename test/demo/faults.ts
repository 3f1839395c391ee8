import { kinds, type KindName } from '../../src/kinds.ts';
import { credit, debit, type Account, type Transaction, type User } from '../support/ledger.ts';
import type { Firm } from './firm.ts';

/** What recon must report about a planted fault: exactly once, and nothing else. */
export interface Planted {
  kind: KindName;
  subject: string;
  /** Actual minus expected; null where the kind has no such values. */
  difference: string | null;
  what: string;
}

/** A kind that recon reports only if the environment asks for it. */
export const kindsThatAreOff: readonly KindName[] = ['wrong_entry_count'];

type Fault = (firm: Firm, customer: User) => Omit<Planted, 'kind'>;

/** Plants at least one fault of every kind, each at a customer of its own. */
export function plantFaults(firm: Firm): Planted[] {
  const victims = firm.customers.slice(100).values();
  return kinds.flatMap(({ name }) =>
    faults[name].map((plant) => ({ kind: name, ...plant(firm, victims.next().value!) })),
  );
}

const hour = 60;
const day = 24 * hour;

/**
 * The table of faults: whoever adds a kind plants it here. What the treasury sends and receives follows the posting, so
 * that a wrong posting leaves ledger and Circle agreed; only `balance_mismatch` sets them apart.
 */
const faults: Record<KindName, readonly Fault[]> = {
  orphaned_entry: [entriesWithoutTransaction, entryWithoutAccount],
  invalid_amount: [negativeAmount, entryOfNothing],
  empty_transaction: [emptyTransaction],
  one_sided_transaction: [missingCredit],
  currency_mismatch: [wrongCurrency],
  unbalanced_transaction: [swappedDigits, oneZeroTooMany],
  wrong_entry_count: [], // the allocation splits of the month are what it would report
  broken_reversal: [neverMirrored, reversedTwice],
  posted_while_unposted: [failedButPosted, pendingForHours],
  zero_amount: [movesNothing],
  balance_drift: [driftOfACent, driftOfThousands],
  negative_balance: [overdrawn],
  duplicate_account: [secondStash],
  unknown_status: [newStatus],
  invalid_record: [depositOfNothing],
  duplicate_posting: [postedTwice],
  wrong_account: [postedToAnother],
  posted_for_failed: [failedWithdrawalStands],
  reversed_for_settled: [reversedByMistake],
  missing_in_ledger: [forgottenWithdrawal, forgottenDeposit],
  amount_mismatch: [digitsSwappedInDeposit, jobOffByACent],
  unlinked: [jobWithoutLink],
  stuck: [stuckDeposit, stuckWithdrawal],
  missing_in_source: [bookedWithoutRecord],
  balance_mismatch: [coinsGone],
};

function free(firm: Firm, customer: User): Account {
  return firm.ledger.account(customer, 'usdc_balance');
}

function stash(firm: Firm, customer: User): Account {
  return firm.ledger.account(customer, 'stash_balance');
}

function saved(firm: Firm, customer: User, amount: string, minutesAgo: number): Transaction {
  return firm.transfer(customer, free(firm, customer), stash(firm, customer), amount, { minutesAgo });
}

function entriesWithoutTransaction(firm: Firm, customer: User) {
  const id = firm.ledger.random.uuid();
  const at = firm.ledger.minutesAgo(5 * day);
  firm.ledger.entry(credit(free(firm, customer), '64'), id, at);
  firm.ledger.entry(debit(stash(firm, customer), '64'), id, at);
  return { subject: `transaction:${id}`, difference: null, what: 'the header of a transfer was deleted' };
}

function entryWithoutAccount(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '12.5', 6 * day);
  transaction.entries[1]!.account_id = firm.ledger.random.uuid();
  return { subject: transaction.subject, difference: null, what: 'an entry names an account that does not exist' };
}

function negativeAmount(firm: Firm, customer: User) {
  return { subject: saved(firm, customer, '-75', 2 * day).subject, difference: null, what: 'a transfer of -75 USDC' };
}

function entryOfNothing(firm: Firm, customer: User) {
  const entry = firm.ledger.entry(debit(stash(firm, customer), '5'), null, firm.ledger.minutesAgo(9 * day));
  return { subject: `entry:${entry.id}`, difference: null, what: 'an entry without the id of a transaction' };
}

function emptyTransaction(firm: Firm, user: User) {
  const { subject } = firm.ledger.transaction({ type: 'internal_transfer', user, minutesAgo: 7 * day, entries: [] });
  return { subject, difference: null, what: 'a crash between the header and its entries' };
}

function missingCredit(firm: Firm, user: User) {
  const entries = [debit(stash(firm, user), '250')];
  const { subject } = firm.ledger.transaction({ type: 'internal_transfer', user, minutesAgo: 8 * day, entries });
  return { subject, difference: '-250', what: 'the second entry was never written' };
}

function wrongCurrency(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '18.25', 4 * day);
  for (const entry of transaction.entries) entry.currency = 'USD';
  return { subject: transaction.subject, difference: null, what: 'dollars on accounts that hold USDC' };
}

function swappedDigits(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '480', 3 * day);
  transaction.entries[0]!.amount = '408';
  return { subject: transaction.subject, difference: '-72', what: '480 on one side, 408 on the other' };
}

function oneZeroTooMany(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '120', 30 * hour);
  transaction.entries[1]!.amount = '1200';
  return { subject: transaction.subject, difference: '-1080', what: '120 on one side, 1,200 on the other' };
}

function neverMirrored(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '150', 11 * day);
  transaction.row.status = 'reversed';
  return { subject: transaction.subject, difference: '-150', what: 'marked reversed, without a reversal' };
}

function reversedTwice(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '90', 12 * day);
  firm.ledger.reversal(transaction, { minutesAgo: 11 * day });
  firm.ledger.reversal(transaction, { minutesAgo: 11 * day - 2 });
  return { subject: transaction.subject, difference: '90', what: 'reversed twice' };
}

function failedButPosted(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '35', 13 * day);
  Object.assign(transaction.row, { status: 'failed', completed_at: null });
  return { subject: transaction.subject, difference: '35', what: 'marked failed, with its entries left standing' };
}

function pendingForHours(firm: Firm, customer: User) {
  const transaction = saved(firm, customer, '990', 5 * hour);
  Object.assign(transaction.row, { status: 'pending', completed_at: null });
  return { subject: transaction.subject, difference: '990', what: 'pending for five hours, with entries' };
}

function movesNothing(firm: Firm, customer: User) {
  return { subject: saved(firm, customer, '0', 14 * day).subject, difference: null, what: 'a transfer of 0 USDC' };
}

function driftOfACent(firm: Firm, customer: User) {
  return drift(firm, customer, '0.01', 'an update of the balance that rounded');
}

function driftOfThousands(firm: Firm, customer: User) {
  return drift(firm, customer, '1800', 'somebody raised the balance by hand');
}

/** On an account that is new: its row is not stored yet. */
function drift(firm: Firm, customer: User, amount: string, what: string) {
  const account = firm.ledger.account(customer, 'pending_investment');
  account.row.balance = amount;
  firm.transfer(customer, free(firm, customer), account, '40', { minutesAgo: 15 * day });
  return { subject: account.subject, difference: amount, what };
}

function overdrawn(firm: Firm, customer: User) {
  const account = firm.ledger.account(customer, 'pending_investment');
  firm.transfer(customer, account, free(firm, customer), '320.4', { minutesAgo: 16 * day });
  return { subject: account.subject, difference: '-320.4', what: 'more was taken out than was there' };
}

/** The finding names the one with the smaller id. */
function secondStash(firm: Firm, customer: User) {
  const pair = [stash(firm, customer), firm.ledger.openAccount(customer, 'stash_balance')];
  const [first] = pair.map(({ subject }) => subject).toSorted();
  return { subject: first!, difference: '1', what: 'two requests at once opened two accounts' };
}

function newStatus(firm: Firm, customer: User) {
  const { subject } = firm.withdrawal(customer, '45', { minutesAgo: 6 * hour, status: 'compliance_hold', post: false });
  return { subject, difference: null, what: 'a release brought the status compliance_hold' };
}

function depositOfNothing(firm: Firm, customer: User) {
  const { subject } = firm.deposit(customer, '0', { minutesAgo: 4 * hour, post: false });
  return { subject, difference: null, what: 'a deposit of 0 USDC' };
}

function postedTwice(firm: Firm, customer: User) {
  const deposit = firm.deposit(customer, '320', { minutesAgo: 9 * hour });
  firm.ledger.postDeposit(customer, deposit.id, '320', { minutesAgo: 9 * hour - 1 });
  firm.sellToOffRamp('320');
  return { subject: deposit.subject, difference: '320', what: 'a retry posted the deposit again' };
}

function postedToAnother(firm: Firm, customer: User) {
  const { subject } = firm.deposit(customer, '410', { minutesAgo: 10 * hour, postedTo: firm.customers[0]! });
  return { subject, difference: null, what: 'posted to another customer' };
}

function failedWithdrawalStands(firm: Firm, customer: User) {
  const { subject } = firm.withdrawal(customer, '700', { minutesAgo: 40 * hour, status: 'failed', post: true });
  return { subject, difference: '700', what: 'the payout failed, the customer was charged' };
}

function reversedByMistake(firm: Firm, customer: User) {
  const deposit = firm.deposit(customer, '88', { minutesAgo: 50 * hour });
  firm.returnDeposit(deposit, { minutesAgo: 49 * hour });
  return { subject: deposit.subject, difference: '-88', what: 'a deposit that is settled was reversed' };
}

function forgottenWithdrawal(firm: Firm, customer: User) {
  const { subject } = firm.withdrawal(customer, '0.8', { minutesAgo: 20 * hour, post: false });
  return { subject, difference: '-0.8', what: 'paid out, never posted' };
}

function forgottenDeposit(firm: Firm, customer: User) {
  const { subject } = firm.deposit(customer, '2640', { minutesAgo: 22 * hour, post: false });
  return { subject, difference: '-2640', what: 'arrived, never posted' };
}

function digitsSwappedInDeposit(firm: Firm, customer: User) {
  const { subject } = firm.deposit(customer, '1250', { minutesAgo: 23 * hour, postedAmount: '1205' });
  return { subject, difference: '-45', what: '1,250 arrived, 1,205 were posted' };
}

function jobOffByACent(firm: Firm) {
  const { subject } = firm.conversionJob('usdc_to_usd', '5000', { minutesAgo: 25 * hour, postedAmount: '5000.01' });
  return { subject, difference: '0.01', what: 'a conversion posted with a cent too much' };
}

function jobWithoutLink(firm: Firm) {
  const { subject, row } = firm.conversionJob('usdc_to_usd', '6200', { minutesAgo: 26 * hour });
  row.ledger_transaction_id = null;
  return { subject, difference: null, what: 'the job does not name its transaction' };
}

function stuckDeposit(firm: Firm, customer: User) {
  const { subject } = firm.deposit(customer, '0.6', { minutesAgo: 30 * hour, status: 'pending' });
  return { subject, difference: null, what: 'pending for thirty hours' };
}

function stuckWithdrawal(firm: Firm, customer: User) {
  const { subject } = firm.withdrawal(customer, '510', { minutesAgo: 80 * hour, status: 'due_processing' });
  return { subject, difference: null, what: 'at the provider for eighty hours' };
}

function bookedWithoutRecord(firm: Firm, customer: User) {
  const { subject } = firm.ledger.postDeposit(customer, firm.ledger.random.uuid(), '55', { minutesAgo: 33 * hour });
  firm.sellToOffRamp('55');
  return { subject, difference: '55', what: 'a posting whose deposit was deleted' };
}

/** Beside it, unconfirmed deposits of 6.90 lie in customers' wallets: by themselves they are within the tolerance. */
function coinsGone(firm: Firm) {
  firm.losesCoins('1250');
  return { subject: 'custodian:circle', difference: '-1243.1', what: '1,250 USDC left the treasury unbooked' };
}
