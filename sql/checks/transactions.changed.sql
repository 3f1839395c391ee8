-- Transactions that came, or got an entry, since the moment that is verified already.
select header.id
from ledger_transactions as header
cross join params
where header.created_at >= params.since
union
select entry.transaction_id
from ledger_entries as entry
cross join params
where entry.created_at >= params.since and entry.transaction_id is not null
order by id
