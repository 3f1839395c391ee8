-- Which way the last deposits moved what the books say that Circle holds. The position is recognised by its amount: as
-- that of one type of account, if exactly one type holds as much; else it has none.
with
held as (
  select account.account_type, account.currency, sum(account.balance) as balance
  from ledger_accounts as account
  group by account.account_type, account.currency
),
recognised as (
  select case when count(*) = 1 then min(held.account_type) end as account_type
  from held
  inner join total on total.currency = held.currency and total.expected_value = held.balance
),
deposit as (
  select header.id
  from ledger_transactions as header
  where header.record_kind = 'deposit' and header.expects_record and header.status = 'completed'
  order by header.created_at desc, header.id
  limit 100
)
select
  recognised.account_type,
  (select count(*) from deposit)::integer as deposits,
  coalesce(
    sum(case when entry.entry_type = account.normal_side then entry.amount else -entry.amount end)
      filter (where account.id is not null),
    0
  ) as moved
from recognised
left join deposit on true
left join ledger_entries as entry on entry.transaction_id = deposit.id
left join ledger_accounts as account
  on account.id = entry.account_id and account.account_type = recognised.account_type
group by recognised.account_type
