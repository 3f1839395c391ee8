-- What the ledger should show for each conversion job: its source leg and its destination leg.
with job as (
  select
    conversion_job.*,
    coalesce(
      conversion_job.destination_amount,
      -- the host fills the destination late; until then it follows from rate and fees, at the column's own scale
      round(
        conversion_job.source_amount * conversion_job.rate - coalesce(conversion_job.fees, 0),
        scale(conversion_job.source_amount)
      )
    ) as destination
  from conversion_jobs as conversion_job
)
select
  job.id,
  null::uuid as user_id, -- a job converts for many users at once
  job.state,
  job.status,
  job.settled_at,
  job.created_at,
  job.source_amount,
  job.source_currency,
  job.destination as destination_amount, -- null where the host gives neither an amount nor a rate: not compared
  job.destination_currency,
  job.source_amount > 0 and job.source_amount < 'Infinity'
  and (job.destination is null or (job.destination > 0 and job.destination < 'Infinity')) -- NaN sorts above
  and job.id is not null as valid,
  true as names_transaction,
  job.ledger_transaction_id
from job
