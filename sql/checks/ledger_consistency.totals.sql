-- Total debits and total credits per currency, over every entry that can be added up, and how much was compared.
with
entry as (
  select
    ledger_entry.currency,
    ledger_entry.entry_type,
    ledger_entry.amount,
    ledger_entry.amount > '-Infinity' and ledger_entry.amount < 'Infinity' as finite -- NaN sorts above Infinity
  from ledger_entries as ledger_entry
  cross join params
  where
    (params.since is null or ledger_entry.created_at >= params.since)
    and (params.until is null or ledger_entry.created_at < params.until)
    and (
      params.user_id is null
      or exists (
        select from ledger_transactions as header
        where header.id = ledger_entry.transaction_id and header.user_id = params.user_id
      )
    )
    and (params.transactions is null or ledger_entry.transaction_id = any (params.transactions))
),
header as (
  select
    count(*) as transactions,
    count(*) filter (
      where
        ledger_transaction.status = 'pending'
        and ledger_transaction.created_at > params.as_of - params.grace_period
        and ledger_transaction.created_at <= params.as_of + params.grace_period -- further ahead it is reported
    ) as pending
  from ledger_transactions as ledger_transaction
  cross join params
  where
    (params.since is null or ledger_transaction.created_at >= params.since)
    and (params.until is null or ledger_transaction.created_at < params.until)
    and (params.user_id is null or ledger_transaction.user_id = params.user_id)
    and (params.transactions is null or ledger_transaction.id = any (params.transactions))
),
account as (
  select count(*) as accounts
  from ledger_accounts as ledger_account
  cross join params
  where
    params.accounts is null -- of a list nobody takes this number
    and (params.user_id is null or ledger_account.user_id = params.user_id)
)
select
  null::text as currency, -- the row that counts transactions and accounts has no money of its own
  header.transactions as compared,
  0::numeric as expected_value,
  0::numeric as actual_value,
  0::bigint as awaited,
  0::numeric as awaited_amount,
  header.pending as in_flight,
  0::numeric as in_flight_amount,
  jsonb_build_object('accounts', account.accounts) as details
from header
cross join account
union all
select
  entry.currency,
  0,
  coalesce(sum(entry.amount) filter (where entry.entry_type = 'debit' and entry.finite), 0),
  coalesce(sum(entry.amount) filter (where entry.entry_type = 'credit' and entry.finite), 0),
  0,
  0,
  0,
  0,
  jsonb_strip_nulls(
    jsonb_build_object('entries', count(*), 'not_finite', nullif(count(*) filter (where entry.finite is not true), 0))
  )
from entry
group by entry.currency
order by currency nulls first
