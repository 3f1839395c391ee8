-- What the accounts with entries since params.since held before it, if their entries since then explain the rest, and
-- what they held before params.until, the moment up to which this run verifies. Without a params.since: every account.
-- Of one that stands twice nobody can say what it held: null.
with
moved as (
  select
    entry.account_id,
    sum(case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end) as amount,
    sum(case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end)
      filter (where entry.created_at >= params.until) as last_amount
  from ledger_entries as entry
  cross join params
  where entry.created_at >= coalesce(params.since, params.until)
  group by entry.account_id
),
account as (
  select
    ledger_account.id,
    ledger_account.balance,
    case ledger_account.normal_side when 'debit' then 1 when 'credit' then -1 end as sign
  from ledger_accounts as ledger_account
)
select
  account.id,
  case when count(*) = 1 then min(account.balance - account.sign * coalesce(moved.amount, 0)) end as held_before,
  case when count(*) = 1 then min(account.balance - account.sign * coalesce(moved.last_amount, 0)) end as held_next
from account
cross join params
left join moved on moved.account_id = account.id
where (params.since is null or moved.account_id is not null) and account.id is not null
group by account.id
order by account.id
