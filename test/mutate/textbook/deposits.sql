-- The deposits of stack_service as another host might keep them: what has a word of its own is in none of the states.
select
  deposit.id::uuid as id,
  deposit.user_id::uuid as user_id,
  deposit.amount::numeric as amount,
  upper(deposit.token::text) as currency,
  case
    when deposit.status::text in ('pending', 'confirmed', 'off_ramp_initiated', 'off_ramp_completed') then 'pending'
    when deposit.status::text in ('broker_funded', 'completed') then 'settled'
    when deposit.status::text in ('failed', 'reversed') then 'failed'
  end as state,
  deposit.status::text as status,
  coalesce(
    deposit.alpaca_funded_at, deposit.off_ramp_completed_at, deposit.confirmed_at, deposit.created_at
  )::timestamptz as settled_at,
  deposit.created_at::timestamptz as created_at,
  null::timestamptz as updated_at
from deposits as deposit
