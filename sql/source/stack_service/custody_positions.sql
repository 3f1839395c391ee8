-- What the books say that each custodian holds. These are the host's own formulas:
--   Circle = the balance of system_buffer_usdc
--   Alpaca = the sum of every user's fiat_exposure
-- They are read in this host's sign: a debit raises a balance. README, "The two custodian formulas", says what that
-- assumes and how to write another one.
select
  'circle'::text as custodian,
  account.currency::text as currency,
  null::uuid as user_id, -- the whole
  account.balance::numeric as expected
from ledger_accounts as account
where account.account_type::text = 'system_buffer_usdc'
union all
select
  'alpaca'::text as custodian,
  account.currency::text as currency,
  account.user_id::uuid as user_id,
  account.balance::numeric as expected
from ledger_accounts as account
where account.account_type::text = 'fiat_exposure'
