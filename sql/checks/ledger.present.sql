-- Which of the transactions and accounts asked for are still there.
select header.id
from ledger_transactions as header
cross join params
where header.id = any (params.transactions)
union
select account.id
from ledger_accounts as account
cross join params
where account.id = any (params.accounts)
order by id
