-- Holds these transactions, in the order of their ids.
select header.id
from ledger_transactions as header
cross join asked
where header.id = any (asked.ids)
order by header.id
for no key update of header
