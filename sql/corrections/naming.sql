-- Every transaction that names one of these records, in whatever state, with the accounts that it has entries on and the
-- number of jobs that name it.
select
  header.id,
  header.reference_id as record_id,
  header.status,
  header.transaction_type,
  array(
    select distinct entry.account_id
    from ledger_entries as entry
    where entry.transaction_id = header.id
    order by entry.account_id
  )::text[] as accounts,
  (
    select count(*)
    from conversion_jobs as job
    where job.ledger_transaction_id = header.id
  ) as named_by_jobs
from ledger_transactions as header
cross join params
where header.record_kind = params.record_kind and header.reference_id = any (params.records)
order by header.id
