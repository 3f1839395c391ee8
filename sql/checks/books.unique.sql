-- Not to be run, but to be explained: PostgreSQL leaves the joins out if unique indexes prove that they add nothing.
select entry.id
from ledger_entries as entry
left join ledger_transactions as header on header.id = entry.transaction_id
left join ledger_accounts as account on account.id = entry.account_id
order by entry.id
