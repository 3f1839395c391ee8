-- Faults spread over the whole ledger, each with exactly one finding; 2,000 of them unless the ledger is small.
set local session_replication_role = replica; -- entries are immutable

update deposits as deposit
set amount = deposit.amount + 1
from (
  select candidate.id
  from deposits as candidate
  where candidate.status = 'completed'
  order by candidate.id -- ids look random: these are from all over the table
  limit (select least(800, size.transactions / 125) from bench.size)
) as chosen
where chosen.id = deposit.id;

update ledger_accounts as account
set balance = account.balance + 5
from (
  select candidate.id
  from ledger_accounts as candidate
  where candidate.account_type = 'usdc_balance'
  order by candidate.id
  limit (select least(600, size.transactions / 170) from bench.size)
) as chosen
where chosen.id = account.id;

with
chosen as (
  select candidate.id
  from ledger_transactions as candidate
  where candidate.transaction_type = 'internal_transfer' and candidate.status = 'completed'
  order by candidate.id
  limit (select least(600, size.transactions / 170) from bench.size)
),
unbalanced as (
  update ledger_entries as entry
  set amount = entry.amount + 0.01
  from chosen
  where entry.transaction_id = chosen.id and entry.entry_type = 'debit'
  returning entry.account_id
),
moved as (
  select unbalanced.account_id, count(*) * 0.01 as amount
  from unbalanced
  group by unbalanced.account_id
)
update ledger_accounts as account
set balance = account.balance + moved.amount -- the balance agrees with the entries: only the transaction is at fault
from moved
where moved.account_id = account.id;
