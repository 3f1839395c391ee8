import type postgres from 'postgres';
import { startCustodians, type Custodians } from './custodians.ts';
import { testDatabase } from './database.ts';
import { LedgerBuilder, type User } from './ledger.ts';
import { cutAt } from './run-check.ts';
import { operatorOf, type Operator, type RunDocument } from './world.ts';

export interface Scene extends Custodians, Operator {
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
  bob: User;
  /** The books' position at Circle. */
  booksSay: (amount: string) => Promise<unknown>;
}

/** Circle holds 100 in Ada's wallet and the books say so; at Alpaca Ada has 300 and Bob 200. */
export async function scene(checks: string, now = cutAt): Promise<Scene> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now, seed: 4 });
  const [ada, bob] = [ledger.user(), ledger.user()];
  ledger.investment(ada, '300', { minutesAgo: 5000 });
  ledger.investment(bob, '200', { minutesAgo: 5000 });
  const buffer = ledger.systemAccount('system_buffer_usdc');
  await ledger.save(sql);
  const booksSay = (amount: string) => sql`update ledger_accounts set balance = ${amount} where id = ${buffer.id}`;
  await booksSay('100');
  const custodians = await startCustodians(ada, { usdc: '100', cash: '300' }, () => now);
  custodians.circle.add({ id: bob.walletId, blockchain: 'BASE-SEPOLIA', usdc: '0' });
  custodians.alpaca.add({ id: bob.alpacaAccountId, cash: '200' });
  const operator = operatorOf(url, { ...custodians.env, RECONCILIATION_CHECKS: checks });
  return { ...custodians, ...operator, sql, ledger, ada, bob, booksSay };
}

/** So many transactions at Circle that a first look goes no further back than to `oldest` (RFC 3339). */
export function fillLook({ circle, ada }: Scene, oldest: string): void {
  const page = Array.from({ length: 50 }, () => circle.move(ada.walletId, '0'));
  page[0]!.createDate = oldest;
}

export interface Details {
  cut: { bracketed: boolean; rounds: number; moved: number; moved_first: Record<string, string>[] };
  in_flight: { count: number; explains: string; items: Record<string, string>[] };
  unexplained: string;
  first_difference?: string;
  users?: { largest: { user_id: string; difference: string }[] };
}

export function detailsOf({ checks: [check] }: RunDocument): Details {
  return check!.metadata['details'] as Details;
}
