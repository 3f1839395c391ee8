import { money, toText, zero, type Money } from '../../src/money.ts';
import type { AlpacaState } from '../support/alpaca-sandbox.ts';
import {
  genuineUsdc,
  nativeToken,
  spoofedUsdc,
  type CircleState,
  type WalletInput,
} from '../support/circle-sandbox.ts';
import type { Random } from '../support/random.ts';

interface Wallet {
  chain: string;
  usdc: Money;
  createdAt: Date;
}

interface BrokerageAccount {
  cash: Money;
  createdAt: Date;
}

/**
 * What Circle and Alpaca know, booked by themselves: coins that reached a wallet or left it, dollars that were
 * journaled into an account or out of it. Nothing here is read from the ledger.
 */
export class CustodianBooks {
  readonly #wallets = new Map<string, Wallet>();
  readonly #accounts = new Map<string, BrokerageAccount>();

  openWallet(id: string, chain: string, createdAt: Date): void {
    this.#wallets.set(id, { chain, usdc: zero, createdAt });
  }

  openAccount(id: string, createdAt: Date): void {
    this.#accounts.set(id, { cash: zero, createdAt });
  }

  /** Coins arrive from outside. */
  receive(walletId: string, amount: string): void {
    const wallet = found(this.#wallets, walletId);
    wallet.usdc = wallet.usdc.plus(amount);
  }

  /** Coins leave to an address outside. */
  send(walletId: string, amount: string): void {
    this.receive(walletId, toText(money(amount).negated()));
  }

  /** From one wallet at Circle to another: the total stays. */
  move(from: string, to: string, amount: string): void {
    this.send(from, amount);
    this.receive(to, amount);
  }

  held(walletId: string): Money {
    return found(this.#wallets, walletId).usdc;
  }

  /** Dollars from the firm's own account into a customer's; back if negative. */
  journal(accountId: string, amount: string): void {
    const account = found(this.#accounts, accountId);
    account.cash = account.cash.plus(amount);
  }

  /** As the sandbox takes it, with what must not be counted: look-alike tokens and gas. A frozen wallet counts. */
  circle(random: Random): CircleState {
    const wallets = [...this.#wallets].map(([id, wallet], index): WalletInput => {
      const { chain, usdc, createdAt } = wallet;
      const balances = [genuineUsdc(chain, toText(usdc)), nativeToken(chain, '0.004')];
      if (random.chance(0.02)) balances.push(spoofedUsdc(chain, '1000000'));
      const createDate = new Date(createdAt.getTime() + index * 1000).toISOString();
      return { id, blockchain: chain, balances, createDate, state: index === 17 ? 'FROZEN' : 'LIVE' };
    });
    return { wallets };
  }

  /** As the sandbox takes it. The buying power of a margin account is no money. */
  alpaca(): AlpacaState {
    const accounts = [...this.#accounts].map(([id, { cash, createdAt }], index) => {
      const multiplier = index % 40 === 7 ? '2' : '1';
      const created_at = new Date(createdAt.getTime() + index * 1000).toISOString();
      return { id, cash: toText(cash), buying_power: toText(cash.times(multiplier)), multiplier, created_at };
    });
    return { accounts };
  }
}

function found<T>(things: Map<string, T>, id: string): T {
  const thing = things.get(id);
  if (thing === undefined) throw new Error(`The custodian knows no ${id}.`);
  return thing;
}
