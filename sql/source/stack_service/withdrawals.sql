-- One row per withdrawal. The host keeps its times without a time zone, in UTC.
select
  withdrawal.id::uuid as id,
  withdrawal.user_id::uuid as user_id,
  withdrawal.amount::numeric as amount,
  -- the host's table names no currency: what was paid out decides, so the check compares amounts and users only
  null::text as currency,
  case
    when withdrawal.status::text in (
      'pending', 'initiated', 'processing', 'alpaca_debited', 'due_processing', 'onchain_transfer'
    ) then 'pending'
    when withdrawal.status::text = 'completed' then 'settled'
    when withdrawal.status::text in ('failed', 'reversed', 'timeout') then 'failed'
    else 'unknown'
  end as state,
  withdrawal.status::text as status,
  coalesce(withdrawal.completed_at, withdrawal.created_at) at time zone 'UTC' as settled_at,
  withdrawal.created_at at time zone 'UTC' as created_at,
  withdrawal.updated_at at time zone 'UTC' as updated_at
from withdrawals as withdrawal
