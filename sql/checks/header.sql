-- What a proof needs to know of each transaction. The `with` keeps PostgreSQL from copying these expressions to every
-- place that uses them: they are worked out once per transaction, not once per entry, and the rows that the hash join
-- holds stay narrow.
with
header as (
  select
    ledger_transaction.*,
    ledger_transaction.record_kind = 'conversion_job' and ledger_transaction.expects_record as names_job,
    params.as_of,
    params.grace_period,
    params.seed,
    params.kinds_with_user
  from ledger_transactions as ledger_transaction
  cross join params
  where params.transactions is null or ledger_transaction.id = any (params.transactions)
)
select
  header.id,
  header.reference_id as record_id,
  uuid_hash_extended(header.reference_id, header.seed) as record_hash,
  -- what is asked of its entries:
  --   plain      they balance in each currency
  --   crossing   they balance, but not in each currency
  --   job        one debit and one credit, in two currencies; how much, the check of conversion jobs looks at
  --   reversal   they mirror another transaction: both are looked at one by one
  --   open       nothing yet, it may still be written
  --   unposted   that there are none
  case header.status
    when 'failed' then 'unposted'
    when 'pending' then
      case -- as in the findings: nobody can say that one without a time is still in its grace period
        when header.created_at > header.as_of - header.grace_period and header.created_at <= header.as_of + header.grace_period
          then 'open'
        else 'unposted'
      end
    else -- and behind a space which kind of record it books, unless it only looks so: an opening balance
      case header.transaction_type
        when 'reversal' then 'reversal'
        when 'investment' then case when header.names_job then 'job' else 'crossing' end
        when 'conversion' then case when header.names_job then 'job' else 'crossing' end
        else 'plain'
      end
      || case when header.expects_record then coalesce(' ' || header.record_kind, '') else '' end
  end as movement,
  case when header.status = 'failed' or header.status = 'pending' then null else header.record_kind = any (header.kinds_with_user) end
  as names_user
from header
