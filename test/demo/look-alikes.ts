import { credit, debit } from '../support/ledger.ts';
import type { Firm } from './firm.ts';

/** What looks like a fault and is none: things under way, things that failed in an orderly way, unusual bookings. */
export function addLookAlikes(firm: Firm): void {
  depositsUnderWay(firm);
  withdrawalsUnderWay(firm);
  jobsUnderWay(firm);
  orderlyFailures(firm);
  unusualBookings(firm);
  for (const customer of firm.customers.slice(0, 20)) firm.custodians.journal(customer.alpacaAccountId, '0.37'); // interest
}

function depositsUnderWay(firm: Firm): void {
  const [first, second, third, fourth, fifth] = firm.customers.slice(10);
  const deposits = [
    firm.deposit(first!, '2.1', { minutesAgo: 20, status: 'pending' }), // arrived, not confirmed, not swept:
    firm.deposit(second!, '4.2', { minutesAgo: 2, status: 'pending' }), // Circle's tolerance is for these
    firm.deposit(third!, '350', { minutesAgo: 40, status: 'confirmed' }),
    firm.deposit(fourth!, '80', { minutesAgo: 180, status: 'off_ramp_initiated', settledAfterMinutes: 15 }),
    firm.deposit(fifth!, '125.5', { minutesAgo: 0.5, status: 'broker_funded', post: false }), // posted any moment now
  ];
  for (const { id } of deposits) firm.inFlight.push({ table: 'deposits', id });
}

function withdrawalsUnderWay(firm: Firm): void {
  const [first, second, third] = firm.customers.slice(20);
  const withdrawals = [
    firm.withdrawal(first!, '15', { minutesAgo: 12, status: 'pending' }),
    firm.withdrawal(second!, '10', { minutesAgo: 300, status: 'processing' }),
    firm.withdrawal(third!, '12.25', { minutesAgo: 50 * 60, status: 'onchain_transfer' }),
  ];
  for (const { id } of withdrawals) firm.inFlight.push({ table: 'withdrawals', id });
}

function jobsUnderWay(firm: Firm): void {
  const jobs = [
    firm.conversionJob('usdc_to_usd', '900', { minutesAgo: 120, status: 'provider_processing' }),
    firm.conversionJob('usd_to_usdc', '400', { minutesAgo: 30, status: 'ledger_updating' }),
  ];
  for (const { id } of jobs) firm.inFlight.push({ table: 'conversion_jobs', id });
}

function orderlyFailures(firm: Firm): void {
  const [first, second, third] = firm.customers.slice(30);
  firm.deposit(first!, '66', { minutesAgo: 5000, status: 'failed' });
  firm.withdrawal(second!, '44', { minutesAgo: 9000, status: 'timeout' });
  firm.conversionJob('usdc_to_usd', '750', { minutesAgo: 8000, status: 'cancelled' });
  firm.conversionJob('usd_to_usdc', '750', { minutesAgo: 7000, status: 'failed' });
  // nothing was written under these headers
  firm.ledger.transaction({ type: 'internal_transfer', user: third!, status: 'failed', minutesAgo: 4000, entries: [] });
  firm.ledger.transaction({ type: 'internal_transfer', user: third!, status: 'pending', minutesAgo: 90, entries: [] });
}

function unusualBookings(firm: Firm): void {
  const { ledger } = firm;
  const [first, second, third, fourth] = firm.customers.slice(40);
  // a posting was reversed by mistake, and the reversal reversed
  const posted = firm.deposit(first!, '210', { minutesAgo: 6000 });
  const mistake = firm.returnDeposit(posted, { minutesAgo: 5900 });
  ledger.reversal(mistake, { minutesAgo: 5800 });
  firm.sellToOffRamp('210');
  // a deposit that was booked in two parts
  const inParts = firm.deposit(second!, '500', { minutesAgo: 3000, postedAmount: '300' });
  ledger.postDeposit(second!, inParts.id, '200', { minutesAgo: 2990 });
  firm.sellToOffRamp('200');
  // between two customers
  const [from, to] = [ledger.account(third!, 'usdc_balance'), ledger.account(fourth!, 'usdc_balance')];
  firm.transfer(third!, from, to, '3', { minutesAgo: 2000 });
  // the host is writing this one right now
  const entries = [credit(from, '0.5'), debit(to, '0.5')];
  const writing = ledger.transaction({
    type: 'internal_transfer',
    user: third!,
    status: 'pending',
    minutesAgo: 0.5,
    entries,
  });
  firm.inFlight.push({ table: 'ledger_transactions', id: writing.id });
}
