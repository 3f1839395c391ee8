-- The accounts of stack_service as another host might keep them: those of the firm are raised by a credit, and held
-- something before their first entry; of one nobody can say which side raises it, and of two types what they held.
select
  account.id::uuid as id,
  account.user_id::uuid as user_id,
  account.account_type::text as account_type,
  account.currency::text as currency,
  case when account.user_id is null then 100 - account.balance else account.balance end::numeric as balance,
  case
    when account.account_type::text = 'broker_operational' then null
    when account.user_id is null then 'credit'
    else 'debit'
  end::text as normal_side,
  case
    when account.account_type::text = 'endless' then numeric 'Infinity'
    when account.account_type::text = 'bottomless' then numeric '-Infinity'
    when account.user_id is null then 100
    else 0
  end as opening_balance
from ledger_accounts as account
