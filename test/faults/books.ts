import type postgres from 'postgres';
import type { AccountInput } from '../support/alpaca-sandbox.ts';
import type { WalletInput } from '../support/circle-sandbox.ts';
import { LedgerBuilder } from '../support/ledger.ts';

/** What is with the custodians. */
export interface Holdings {
  wallet: WalletInput;
  account: AccountInput;
}

/** Books of a few customers, before and after the run that comes before the one which is struck. */
export interface Books {
  /** One deposit that will be mended and one that will not are missing in the ledger. */
  begin: (sql: postgres.Sql) => Promise<void>;
  /**
   * Mends the one, forgets another, and makes two faults that a run corrects by itself: a balance that drifted, and a
   * job without its link. Returns what is with the custodians then.
   */
  goOn: (sql: postgres.Sql) => Promise<Holdings>;
}

export function booksAt(now: Date): Books {
  const ledger = new LedgerBuilder({ now, seed: 9 });
  const [ada, bob, cleo, dan] = [ledger.user(), ledger.user(), ledger.user(), ledger.user()];
  ledger.conversionJob('usd_to_usdc', '5000'); // what is at Circle before anybody deposits
  const mended = ledger.deposit(ada, '900', { post: false });
  ledger.deposit(bob, '700', { post: false });
  ledger.deposit(cleo, '40');
  ledger.deposit(dan, '300');
  ledger.investment(dan, '200');
  const job = ledger.conversionJob('usdc_to_usd', '0.5');
  return {
    begin: (sql) => ledger.save(sql),
    goOn: async (sql) => {
      ledger.postDeposit(ada, mended.id, '900');
      ledger.deposit(cleo, '600', { post: false });
      await ledger.save(sql);
      const drifted = ledger.account(dan, 'usdc_balance');
      await sql`update ledger_accounts set balance = balance + 0.25 where id = ${drifted.id}`;
      await sql`update conversion_jobs set ledger_transaction_id = null where id = ${job.id}`;
      const [buffer] = await sql<{ balance: string }[]>`
        select balance from ledger_accounts where account_type = 'system_buffer_usdc'`;
      return {
        wallet: { id: ada.walletId, blockchain: 'BASE-SEPOLIA', usdc: buffer!.balance },
        account: { id: dan.alpacaAccountId, cash: '200' },
      };
    },
  };
}
