-- The entries by which this host books a deposit or a withdrawal: one on the user's own account, one on the buffer. An
-- account that stands twice gives a row for each, and one that is missing none: recon then writes nothing.
select
  record.user_id,
  params.record_kind as transaction_type,
  params.record_kind as reference_type,
  account.id::uuid as account_id,
  account.user_id::uuid as account_user_id,
  side.entry_type,
  account.currency::text as currency
from params
cross join lateral (
  select deposit.user_id::uuid as user_id
  from deposits as deposit
  where params.record_kind = 'deposit' and deposit.id = params.record_id
  union all
  select withdrawal.user_id::uuid as user_id
  from withdrawals as withdrawal
  where params.record_kind = 'withdrawal' and withdrawal.id = params.record_id
) as record
inner join (
  values
    ('deposit', 'usdc_balance', 'debit'),
    ('deposit', 'system_buffer_usdc', 'credit'),
    ('withdrawal', 'usdc_balance', 'credit'),
    ('withdrawal', 'system_buffer_usdc', 'debit')
) as side (record_kind, account_type, entry_type) on side.record_kind = params.record_kind
inner join ledger_accounts as account
  on
    account.account_type::text = side.account_type
    and account.user_id is not distinct from case side.account_type when 'usdc_balance' then record.user_id end
order by side.entry_type desc, account.id
