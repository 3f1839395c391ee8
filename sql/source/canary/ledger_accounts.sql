-- The accounts of the canary: what they hold is what ledger_entries.sql adds up to, but for the faults.
select
  lpad(account.id::text, 32, '0')::uuid as id,
  lpad(account.user_id::text, 32, '0')::uuid as user_id,
  account.account_type,
  account.currency,
  account.balance,
  account.normal_side,
  account.opening_balance
from (
  values
    (101, 1, 'usdc_balance', 'USDC', 164::numeric, 'debit', 0::numeric),
    (102, 1, 'fiat_exposure', 'USD', 48, 'debit', 0),
    (103, 2, 'usdc_balance', 'USDC', 528, 'debit', 0),
    (105, null, 'system_buffer_usdc', 'USDC', -1855, 'debit', 0),
    (106, null, 'system_buffer_fiat', 'USD', 1043.5, 'debit', 0),
    -- in order: what a credit raises, with an opening balance
    (107, null, 'equity', 'USD', 93, 'credit', 100),
    (111, 3, 'usdc_balance', 'USDC', 40.01, 'debit', 0), -- balance_drift: its entries say 40 …
    (112, 4, 'usdc_balance', 'USDC', -5, 'debit', 0), -- negative_balance
    (113, 5, 'stash_balance', 'USDC', 1, 'debit', 0), -- duplicate_account …
    (114, 5, 'stash_balance', 'USDC', 0, 'debit', 0), -- … and its twin
    (115, 6, 'usdc_balance', 'USDC', 39.99, 'debit', 0) -- … and those of this one too
) as account (id, user_id, account_type, currency, balance, normal_side, opening_balance)
