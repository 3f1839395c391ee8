-- The transactions asked for, those that name the records asked for, what these reverse and what reverses them, with all
-- of their entries.
with recursive
linked as (
  select header.id, header.reference_id, 0 as steps
  from ledger_transactions as header
  cross join params
  where header.id = any (params.transactions) or header.reference_id = any (params.records)
  union
  select next.id, next.reference_id, linked.steps + 1
  from linked
  cross join lateral (
    select header.id, header.reference_id
    from ledger_transactions as header
    where header.reference_id = linked.id
    union all
    select header.id, header.reference_id
    from ledger_transactions as header
    where header.id = linked.reference_id
  ) as next
  where linked.steps < 3
),
involved as ( -- also one of which there are entries, but no header
  select linked.id from linked
  union
  select unnest(params.transactions) from params
)
select
  involved.id as transaction_id,
  header.transaction_type,
  header.status,
  header.record_kind,
  header.reference_type,
  header.reference_id,
  header.created_at,
  entry.id as entry_id,
  entry.entry_type,
  entry.amount,
  entry.currency,
  entry.account_id,
  account.account_type,
  account.user_id
from involved
left join ledger_transactions as header on header.id = involved.id
left join ledger_entries as entry on entry.transaction_id = involved.id
left join ledger_accounts as account on account.id = entry.account_id
order by header.created_at, involved.id, entry.entry_type desc, entry.id
limit 100
