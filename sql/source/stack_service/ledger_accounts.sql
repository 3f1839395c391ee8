-- One row per account. In this host a debit raises every balance, whatever the account's type.
select
  account.id::uuid as id,
  account.user_id::uuid as user_id,
  account.account_type::text as account_type,
  account.currency::text as currency,
  account.balance::numeric as balance,
  'debit'::text as normal_side,
  0::numeric as opening_balance -- opening balances are transactions here (idempotency keys that begin with migration_)
from ledger_accounts as account
