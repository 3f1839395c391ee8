-- The accounts asked for.
select
  account.id,
  account.user_id,
  account.account_type,
  account.currency,
  account.balance,
  account.opening_balance,
  account.normal_side
from ledger_accounts as account
cross join params
where account.id = any (params.accounts)
order by account.id, account.user_id, account.account_type
limit 100
