-- The records that came since params.since, found through the host's own indexes: what an hourly run looks at beside
-- the records that were not final before, and those that are booked since. It may name more than came, never less: what
-- it leaves out waits for the next daily run.
select
  'deposit'::text as record_kind,
  deposit.id::uuid as record_id
from deposits as deposit
cross join params
where deposit.created_at >= params.since
union all
select
  'withdrawal'::text as record_kind,
  withdrawal.id::uuid as record_id
from withdrawals as withdrawal
cross join params
where withdrawal.created_at >= params.since at time zone 'UTC'
union all
select
  'conversion_job'::text as record_kind,
  job.id::uuid as record_id
from conversion_jobs as job
cross join params
where job.created_at >= params.since at time zone 'UTC'
