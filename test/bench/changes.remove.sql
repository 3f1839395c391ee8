-- Takes back what changes.apply.sql did, as if it had never been: the ledger is kept, and measured again.
set local session_replication_role = replica; -- entries are immutable

create temporary table change on commit drop as
select
  md5('change ' || series.number)::uuid as record_id,
  md5('transaction of change ' || series.number)::uuid as transaction_id
from generate_series(1, current_setting('bench.changes')::int) as series (number);

analyze change;

with
removed as (
  delete from ledger_entries as entry
  using change
  where change.transaction_id = entry.transaction_id
  returning entry.account_id, case entry.entry_type when 'debit' then entry.amount else -entry.amount end as amount
),
moved as (
  select removed.account_id, sum(removed.amount) as amount
  from removed
  group by removed.account_id
)
update ledger_accounts as account
set balance = account.balance - moved.amount
from moved
where moved.account_id = account.id;

delete from ledger_transactions using change where change.transaction_id = ledger_transactions.id;
delete from deposits using change where change.record_id = deposits.id;
delete from withdrawals using change where change.record_id = withdrawals.id;
