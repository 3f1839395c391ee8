-- Transactions that somebody may still complete: the next hourly run looks at them again, whenever they came.
select header.id
from ledger_transactions as header
cross join params
where
  header.status = 'pending'
  and header.id is not null
  and (params.transactions is null or header.id = any (params.transactions))
order by header.id
