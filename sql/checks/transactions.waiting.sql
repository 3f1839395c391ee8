-- Transactions that somebody may still complete: the next hourly run looks at them again, whenever they came.
select header.id
from ledger_transactions as header
where header.status = 'pending' and header.id is not null
order by header.id
