-- Transactions with another number of entries than the ledger allows.
select entry.transaction_id as id
from ledger_entries as entry
cross join params
where entry.transaction_id is not null
group by entry.transaction_id, params.entries_per_transaction
having count(*) <> params.entries_per_transaction
order by id
