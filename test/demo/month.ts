import type { User } from '../support/ledger.ts';
import type { Firm } from './firm.ts';

const days = 30;
const eventsPerDay = 345;
const minutesPerDay = 24 * 60;

/** What one customer owns, in millionths: an action never spends what is not there. */
interface Purse {
  customer: User;
  free: number;
  stash: number;
  invested: number;
}

/** Thirty ordinary days: everything is booked right and finished, the last of it two hours ago. */
export function liveThroughMonth(firm: Firm): void {
  const { random } = firm.ledger;
  firm.found('2500000', '400000', { minutesAgo: (days + 1) * minutesPerDay });
  const purses = firm.customers.map((customer) => openPurse(firm, customer));
  for (let daysAgo = days; daysAgo > 0; daysAgo--) {
    for (let event = 0; event < eventsPerDay; event++) {
      const minutesAgo = daysAgo * minutesPerDay - (event * (minutesPerDay - 120)) / eventsPerDay;
      act(firm, random.pick(purses), minutesAgo);
    }
    closeDay(firm, (daysAgo - 1) * minutesPerDay + 120);
  }
  for (const { customer } of purses) payday(firm, customer);
  for (const { customer } of purses) if (random.chance(0.3)) firm.float(customer, text(random.integer(5, 50) * 1e6));
}

/** Half of the customers held something when the ledger was introduced. */
function openPurse(firm: Firm, customer: User): Purse {
  const { random } = firm.ledger;
  const free = random.chance(0.5) ? random.integer(10, 3000) * 1e6 : 0;
  if (free > 0) firm.openingBalance(customer, text(free), { minutesAgo: (days + 1) * minutesPerDay });
  return { customer, free, stash: 0, invested: 0 };
}

/** Everybody has something to lose. */
function payday(firm: Firm, customer: User): void {
  const minutesAgo = 3 * minutesPerDay - 240;
  firm.deposit(customer, '1500', { minutesAgo, settledAfterMinutes: 20 });
  const [from, to] = [firm.ledger.account(customer, 'usdc_balance'), firm.ledger.account(customer, 'stash_balance')];
  firm.transfer(customer, from, to, '250', { minutesAgo: minutesAgo - 1 });
}

type Action = (firm: Firm, purse: Purse, minutesAgo: number) => void;

function act(firm: Firm, purse: Purse, minutesAgo: number): void {
  const { random } = firm.ledger;
  const action: Action = purse.free < 25e6 ? deposit : random.pick(actions);
  action(firm, purse, minutesAgo);
}

const deposit: Action = (firm, purse, minutesAgo) => {
  const { random } = firm.ledger;
  // most people send round amounts, some send whatever their wallet held
  const amount = random.chance(0.7) ? random.integer(5, 150) * 10e6 : random.integer(20_000_000, 900_000_000);
  const status = random.pick(['broker_funded', 'completed']);
  const booked = firm.deposit(purse.customer, text(amount), { minutesAgo, status, settledAfterMinutes: 9 });
  purse.free += amount;
  // the host writes the type of the reference in either case, or leaves it out
  if (random.chance(0.1)) booked.transaction!.row.reference_type = random.pick([null, 'DEPOSIT', 'Deposit']);
};

/** The chain takes some deposits back. */
const doubtfulDeposit: Action = (firm, purse, minutesAgo) => {
  if (firm.ledger.random.chance(0.8)) {
    deposit(firm, purse, minutesAgo);
    return;
  }
  const amount = text(firm.ledger.random.integer(2, 40) * 10e6);
  const returned = firm.deposit(purse.customer, amount, { minutesAgo, status: 'reversed', post: true });
  firm.returnDeposit(returned, { minutesAgo: minutesAgo - 30 });
};

const split: Action = (firm, purse, minutesAgo) => {
  const part = firm.ledger.random.integer(1, 40) * 1e6;
  firm.allocationSplit(purse.customer, text(part * 7), text(part * 3), { minutesAgo, settledAfterMinutes: 12 });
};

const invest: Action = (firm, purse, minutesAgo) => {
  const amount = share(firm, purse.free);
  firm.invest(purse.customer, text(amount), { minutesAgo });
  purse.free -= amount;
  purse.invested += amount;
};

const divest: Action = (firm, purse, minutesAgo) => {
  if (purse.invested < 10e6) {
    invest(firm, purse, minutesAgo);
    return;
  }
  const amount = share(firm, purse.invested);
  firm.divest(purse.customer, text(amount), { minutesAgo });
  purse.invested -= amount;
  purse.free += amount;
};

const save: Action = (firm, purse, minutesAgo) => {
  const amount = share(firm, purse.free);
  const [from, to] = [freeAccount(firm, purse), firm.ledger.account(purse.customer, 'stash_balance')];
  const transfer = firm.transfer(purse.customer, from, to, text(amount), { minutesAgo });
  if (firm.ledger.random.chance(0.05)) {
    firm.ledger.reversal(transfer, { minutesAgo: minutesAgo - 3 }); // changed their mind
  } else {
    purse.free -= amount;
    purse.stash += amount;
  }
};

const withdraw: Action = (firm, purse, minutesAgo) => {
  const amount = share(firm, purse.free);
  const withdrawal = firm.withdrawal(purse.customer, text(amount), { minutesAgo, settledAfterMinutes: 95 });
  if (firm.ledger.random.chance(0.04)) {
    withdrawal.row.status = 'failed';
    withdrawal.row.completed_at = null;
    firm.cancelPayout(withdrawal, { minutesAgo: minutesAgo - 10 });
  } else purse.free -= amount;
};

/** As often as they stand here. */
const actions: readonly Action[] = [
  ...[deposit, deposit, deposit, deposit, deposit, deposit, split, split, doubtfulDeposit],
  ...[invest, invest, invest, invest, divest, divest],
  ...[save, save, save, withdraw, withdraw, withdraw],
];

/** Treasury sells the day's surplus, buys USDC back when the reserve runs low, and fills up the dollars. */
function closeDay(firm: Firm, minutesAgo: number): void {
  const { random } = firm.ledger;
  const options = { minutesAgo, settledAfterMinutes: 45 };
  const sold = random.integer(2, 12) * 1000;
  firm.conversionJob('usdc_to_usd', String(sold), { ...options, rate: '0.9998', fees: '1.5' });
  if (Number(firm.reserves().usdc) > 600_000) return;
  firm.ledger.bufferReplenishment('300000', { minutesAgo: minutesAgo + 60 });
  firm.conversionJob('usd_to_usdc', '250000', { ...options, rate: '0.9995' });
}

function freeAccount(firm: Firm, purse: Purse) {
  return firm.ledger.account(purse.customer, 'usdc_balance');
}

/** Up to six tenths of it, in whole cents. */
function share(firm: Firm, amount: number): number {
  return Math.max(10_000, Math.floor((amount * firm.ledger.random.next() * 0.6) / 10_000) * 10_000);
}

/** Millionths as decimal text. */
function text(millionths: number): string {
  const digits = String(millionths).padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
}
