import { expect, test } from 'vitest';
import { databaseWithoutConstraints, testDatabase } from './database.ts';
import { LedgerBuilder, credit, debit } from './ledger.ts';

const now = new Date('2026-03-01T12:00:00Z');

test('balances follow the entries, over several saves, and all of them together are zero', async () => {
  const { sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now });
  const ada = ledger.user();
  const deposit = ledger.deposit(ada, '100.000000000000000001');
  await ledger.save(sql);
  ledger.withdrawal(ada, '40');
  ledger.investment(ada, '10');
  ledger.allocationSplit(ada, '7', '3');
  ledger.conversionJob('usdc_to_usd', '20', { rate: '0.9995', fees: '0.01' });
  ledger.reversal(
    ledger.internalTransfer(ada, ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance'), '1'),
  );
  await ledger.save(sql);
  const balance = await sql`select balance from ledger_accounts where id = ${ledger.account(ada, 'usdc_balance').id}`;
  const [total] = await sql`select sum(balance) from ledger_accounts`;
  expect(balance).toEqual([{ balance: '50.000000000000000001' }]);
  expect(total).toEqual({ sum: '-0.020000000000000000' }); // what the conversion cost
  await expect(
    sql`update ledger_entries set amount = 1 where transaction_id = ${deposit.transaction!.id}`,
  ).rejects.toThrow('ledger entries are immutable');
});

test('the same seed gives the same ids', () => {
  const ids = [1, 1, 2].map((seed) => new LedgerBuilder({ now, seed }).user().id);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
});

test('without constraints the host takes anything', async () => {
  const { sql } = await databaseWithoutConstraints();
  const ledger = new LedgerBuilder({ now });
  const account = ledger.account(ledger.user(), 'usdc_balance');
  const faulty = ledger.transaction({
    type: 'gift',
    entries: [debit(account, 'NaN', 'EUR'), credit(account, 'Infinity')],
  });
  faulty.entries[0]!.entry_type = 'sideways';
  faulty.entries[1]!.transaction_id = null;
  ledger.openAccount(null, 'system_buffer_usdc');
  ledger.openAccount(null, 'system_buffer_usdc');
  ledger.conversionJob('usdc_to_usd', '-1', { status: 'on_hold' });
  await ledger.save(sql);
  await ledger.save(sql);
  await sql`insert into ledger_entries select * from ledger_entries`;
  await sql`update ledger_entries set id = null`;
  await sql`delete from ledger_transactions`;
  expect(await sql`select entry_type, amount from ledger_entries order by amount desc limit 1`).toEqual([
    { entry_type: 'sideways', amount: 'NaN' },
  ]);
});
