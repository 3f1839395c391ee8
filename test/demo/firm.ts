import { money, toText } from '../../src/money.ts';
import type { ConversionJobRow, DepositRow, WithdrawalRow } from '../support/ledger-rows.ts';
import {
  LedgerBuilder,
  credit,
  debit,
  type Account,
  type Booked,
  type ConversionOptions,
  type RecordOptions,
  type Transaction,
  type User,
  type When,
} from '../support/ledger.ts';
import { CustodianBooks } from './custodian-books.ts';

const sixtyDays = 60 * 24 * 60;

/**
 * The firm of the demo. Each event of its business is booked twice, by two parties that do not read each other's
 * books: by the firm in its ledger, by Circle or Alpaca in theirs.
 *
 * Why Circle then agrees with `system_buffer_usdc`, which a deposit *lowers*: system_buffer_usdc is the treasury's own
 * USDC at Circle.
 * - A deposit reaches the customer's wallet and is swept at once to a vault elsewhere: in and out again. As soon as it
 *   is confirmed, the treasury sells the same amount to the off-ramp, so that the customer can invest within seconds:
 *   the treasury's wallet, and the buffer, go down.
 * - A withdrawal is paid to the customer from that vault. The on-ramp delivers the same amount to the treasury: up.
 * - Conversion jobs sell the treasury's USDC for dollars, or buy it back.
 * - Small floats lie in the customers' wallets: coins of the treasury in another wallet at Circle.
 * Alpaca is simpler: an investment journals dollars into the customer's account, a divestment takes them out again.
 */
export class Firm {
  readonly ledger: LedgerBuilder;
  readonly custodians = new CustodianBooks();
  readonly customers: User[];
  /** Records that are under way: the demo keeps them so when it is opened again later. */
  readonly inFlight: { table: 'deposits' | 'withdrawals' | 'conversion_jobs' | 'ledger_transactions'; id: string }[] =
    [];
  /** Pays the off-ramp and is paid by the on-ramp. */
  readonly #treasury: string;
  /** Serves the conversion jobs. */
  readonly #reserve: string;

  constructor(options: { now: Date; seed: number; customers: number }) {
    this.ledger = new LedgerBuilder(options);
    this.#treasury = this.#openWallet('BASE');
    this.#reserve = this.#openWallet('ETH');
    this.customers = Array.from({ length: options.customers }, () => this.#openCustomer());
  }

  /** The owners bring the first USDC and the first dollars. */
  found(usdc: string, dollars: string, when: When): void {
    const { ledger } = this;
    const entries = [debit(ledger.systemAccount('system_buffer_usdc'), usdc)];
    entries.push(credit(ledger.systemAccount('broker_operational'), usdc));
    ledger.transaction({ ...when, type: 'conversion', idempotencyKey: 'migration_system_buffer_usdc', entries });
    ledger.bufferReplenishment(dollars, when);
    this.custodians.receive(this.#reserve, usdc);
  }

  openingBalance(customer: User, amount: string, when: When): void {
    this.ledger.openingBalance(customer, amount, when);
    this.sellToOffRamp(amount);
  }

  deposit(customer: User, amount: string, options: RecordOptions = {}): Booked<DepositRow> {
    const deposit = this.ledger.deposit(customer, amount, options);
    this.#settleDeposit(customer, deposit, options.postedAmount ?? amount);
    return deposit;
  }

  allocationSplit(customer: User, spending: string, stash: string, options: RecordOptions = {}): Booked<DepositRow> {
    const deposit = this.ledger.allocationSplit(customer, spending, stash, options);
    this.#settleDeposit(customer, deposit, toText(money(spending).plus(stash)));
    return deposit;
  }

  withdrawal(customer: User, amount: string, options: RecordOptions = {}): Booked<WithdrawalRow> {
    const withdrawal = this.ledger.withdrawal(customer, amount, options);
    if (withdrawal.transaction) this.buyFromOnRamp(options.postedAmount ?? amount);
    return withdrawal;
  }

  conversionJob(
    direction: 'usdc_to_usd' | 'usd_to_usdc',
    amount: string,
    options: ConversionOptions = {},
  ): Booked<ConversionJobRow> {
    const job = this.ledger.conversionJob(direction, amount, options);
    if (!job.transaction) return job;
    if (direction === 'usdc_to_usd') this.custodians.send(this.#reserve, options.postedAmount ?? amount);
    else this.custodians.receive(this.#reserve, job.row.destination_amount ?? amount);
    return job;
  }

  invest(customer: User, amount: string, when: When): Transaction {
    this.custodians.journal(customer.alpacaAccountId, amount);
    return this.ledger.investment(customer, amount, when);
  }

  divest(customer: User, amount: string, when: When): Transaction {
    this.custodians.journal(customer.alpacaAccountId, `-${amount}`);
    return this.ledger.divestment(customer, amount, when);
  }

  transfer(customer: User, from: Account, to: Account, amount: string, when: When): Transaction {
    return this.ledger.internalTransfer(customer, from, to, amount, when);
  }

  /** The off-ramp returns the coins of a deposit that the chain took back. */
  returnDeposit(deposit: Booked<DepositRow>, when: When): Transaction {
    this.buyFromOnRamp(deposit.row.amount!);
    return this.ledger.reversal(deposit.transaction!, when);
  }

  /** The on-ramp takes back what it delivered for a payout that failed. */
  cancelPayout(withdrawal: Booked<WithdrawalRow>, when: When): Transaction {
    this.sellToOffRamp(withdrawal.row.amount!);
    return this.ledger.reversal(withdrawal.transaction!, when);
  }

  sellToOffRamp(amount: string): void {
    if (this.custodians.held(this.#treasury).lessThan(amount))
      this.custodians.move(this.#reserve, this.#treasury, toText(money(amount).plus('25000')));
    this.custodians.send(this.#treasury, amount);
  }

  buyFromOnRamp(amount: string): void {
    this.custodians.receive(this.#treasury, amount);
  }

  /** Coins of the treasury in a customer's wallet, for instant payouts. */
  float(customer: User, amount: string): void {
    this.custodians.move(this.#reserve, customer.walletId, amount);
  }

  reserves(): { usdc: string } {
    return { usdc: toText(this.custodians.held(this.#reserve)) };
  }

  /** Somebody takes coins out of the treasury's wallet, and no book of the firm says so. */
  losesCoins(amount: string): void {
    this.custodians.send(this.#treasury, amount);
  }

  #settleDeposit(customer: User, deposit: Booked<DepositRow>, posted: string): void {
    if (deposit.row.status !== 'failed') this.custodians.receive(customer.walletId, deposit.row.amount!);
    if (deposit.row.confirmed_at !== null || deposit.transaction)
      this.custodians.send(customer.walletId, deposit.row.amount!);
    if (deposit.transaction) this.sellToOffRamp(posted);
  }

  #openCustomer(): User {
    const customer = this.ledger.user();
    const createdAt = this.ledger.minutesAgo(sixtyDays);
    this.custodians.openWallet(customer.walletId, 'BASE', createdAt);
    this.custodians.openAccount(customer.alpacaAccountId, createdAt);
    return customer;
  }

  #openWallet(chain: string): string {
    const id = this.ledger.random.uuid();
    this.custodians.openWallet(id, chain, this.ledger.minutesAgo(sixtyDays));
    return id;
  }
}
