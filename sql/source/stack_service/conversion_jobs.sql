-- One row per conversion job. The host keeps its times without a time zone, in UTC.
select
  job.id::uuid as id,
  job.direction::text as direction,
  coalesce(job.source_amount, job.amount)::numeric as source_amount,
  case job.direction::text when 'usdc_to_usd' then 'USDC' when 'usd_to_usdc' then 'USD' end as source_currency,
  job.destination_amount::numeric as destination_amount,
  case job.direction::text when 'usdc_to_usd' then 'USD' when 'usd_to_usdc' then 'USDC' end as destination_currency,
  job.exchange_rate::numeric as rate,
  job.fees_paid::numeric as fees,
  job.ledger_transaction_id::uuid as ledger_transaction_id,
  case
    when job.status::text in (
      'pending', 'provider_submitted', 'provider_processing', 'provider_completed', 'ledger_updating'
    ) then 'pending'
    when job.status::text = 'completed' then 'settled'
    when job.status::text in ('failed', 'cancelled') then 'failed'
    else 'unknown'
  end as state,
  job.status::text as status,
  coalesce(job.completed_at, job.created_at) at time zone 'UTC' as settled_at,
  job.created_at at time zone 'UTC' as created_at,
  null::timestamptz as updated_at -- the host keeps none
from conversion_jobs as job
