-- Which of the records asked for, or of the transactions among them, are still there.
select records.id
from records
cross join params
where records.id = any (params.records)
union
select header.id
from ledger_transactions as header
cross join params
where header.id = any (params.records)
order by id
