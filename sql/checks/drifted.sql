-- Accounts that do not store what their entries add up to: by bucket first, then each account of those that are off
-- (unbalanced.sql says why).
with
side as not materialized (
  with
  part as (
    select
      entry.account_id,
      uuid_hash_extended(entry.account_id, params.seed) as hash,
      case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end as amount
    from ledger_entries as entry
    cross join params
    union all
    select
      account.id,
      uuid_hash_extended(account.id, params.seed),
      case account.normal_side when 'debit' then -1 when 'credit' then 1 end * (account.balance - account.opening_balance)
    from ledger_accounts as account
    cross join params
  )
  select part.account_id, part.amount, part.hash & 2147483647 as weight, (part.hash >> 40) & 1023 as bucket
  from part
),
guilty as (
  select side.bucket
  from side
  group by side.bucket
  having sum(side.weight * side.amount) <> 0
)
select side.account_id as id
from side
where side.bucket = any (array(select guilty.bucket from guilty))
group by side.account_id
having sum(side.amount) <> 0 -- an entry that cannot be added up spoils the sum of its account: NaN is not 0 either
order by id
