-- What a reconciler that compares totals only would ask, one query after the other. Each title is a line of the answer.

-- total debits and credits
select
  sum(entry.amount) filter (where entry.entry_type = 'debit') as debits,
  sum(entry.amount) filter (where entry.entry_type = 'credit') as credits
from ledger_entries as entry;

-- transactions without exactly two entries
select count(*) as odd_transactions
from (
  select entry.transaction_id
  from ledger_entries as entry
  group by entry.transaction_id
  having count(*) <> 2
) as odd;

-- balance of the USDC buffer
select account.balance
from ledger_accounts as account
where account.account_type = 'system_buffer_usdc';

-- sum of fiat exposure
select sum(account.balance) as fiat_exposure
from ledger_accounts as account
where account.account_type = 'fiat_exposure';

-- settled deposits against their postings
select recorded.amount as recorded, posted.amount as posted
from (
  select sum(deposit.amount) as amount
  from deposits as deposit
  where deposit.status in ('broker_funded', 'completed')
) as recorded
cross join (
  select sum(entry.amount) as amount
  from ledger_entries as entry
  inner join ledger_transactions as header on header.id = entry.transaction_id
  where header.transaction_type = 'deposit' and header.status = 'completed' and entry.entry_type = 'debit'
) as posted;

-- completed conversion jobs without a link
select count(*) as unlinked
from conversion_jobs as job
where job.status = 'completed' and job.ledger_transaction_id is null;

-- settled withdrawals against their postings
select recorded.amount as recorded, posted.amount as posted
from (
  select sum(withdrawal.amount) as amount
  from withdrawals as withdrawal
  where withdrawal.status = 'completed'
) as recorded
cross join (
  select sum(entry.amount) as amount
  from ledger_entries as entry
  inner join ledger_transactions as header on header.id = entry.transaction_id
  where header.transaction_type = 'withdrawal' and header.status = 'completed' and entry.entry_type = 'credit'
) as posted;
