-- To which transactions the entries asked for belong by now.
select entry.transaction_id as id
from ledger_entries as entry
cross join params
where entry.id = any (params.entries)
order by id
