-- Transactions whose debits are not their credits. Found in two steps, so that nothing as large as the ledger has to be
-- sorted or held: 1,024 buckets of transactions whose weighted sum must be zero, then each transaction of those that
-- are off. Two faults that cancel out have different weights. What does not count is made null instead of left out: the
-- planner cannot guess how many rows such a condition leaves, and would take a few million for one.
with
side as not materialized (
  with
  entry as ( -- inside a `with` of its own the bucket is worked out once (header.sql)
    select
      ledger_entry.transaction_id,
      uuid_hash_extended(ledger_entry.transaction_id, params.seed) as hash,
      case when header.movement not like 'crossing%' then ledger_entry.currency end as currency,
      case
        when header.movement like 'plain%' or header.movement like 'crossing%'
          then case ledger_entry.entry_type when 'debit' then ledger_entry.amount when 'credit' then -ledger_entry.amount end
      end as amount
    from ledger_entries as ledger_entry
    cross join params
    inner join header on header.id = ledger_entry.transaction_id
  )
  select entry.transaction_id, entry.currency, entry.amount, entry.hash & 2147483647 as weight, (entry.hash >> 40) & 1023 as bucket
  from entry
),
guilty as (
  select side.bucket
  from side
  group by side.bucket, side.currency
  having sum(side.weight * side.amount) <> 0
)
select distinct off.id
from (
  select side.transaction_id as id
  from side
  where side.bucket = any (array(select guilty.bucket from guilty))
  group by side.transaction_id, side.currency
  having sum(side.amount) <> 0
) as off
order by off.id
