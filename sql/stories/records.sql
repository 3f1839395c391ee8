-- The records of these ids, whatever their kind.
select
  'deposit' as record_kind,
  deposit.id,
  deposit.user_id,
  deposit.amount,
  deposit.currency,
  null::numeric as destination_amount,
  null::text as destination_currency,
  null::numeric as fees,
  null::uuid as ledger_transaction_id,
  deposit.state,
  deposit.status,
  deposit.created_at,
  deposit.settled_at
from deposits as deposit
cross join params
where deposit.id = any (params.records)
union all
select
  'withdrawal',
  withdrawal.id,
  withdrawal.user_id,
  withdrawal.amount,
  withdrawal.currency,
  null,
  null,
  null,
  null,
  withdrawal.state,
  withdrawal.status,
  withdrawal.created_at,
  withdrawal.settled_at
from withdrawals as withdrawal
cross join params
where withdrawal.id = any (params.records)
union all
select
  'conversion_job',
  job.id,
  null,
  job.source_amount,
  job.source_currency,
  job.destination_amount,
  job.destination_currency,
  job.fees,
  job.ledger_transaction_id,
  job.state,
  job.status,
  job.created_at,
  job.settled_at
from conversion_jobs as job
cross join params
where job.id = any (params.records)
order by created_at, record_kind, id
limit 100
