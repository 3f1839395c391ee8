-- How many transactions there are.
select count(*)::integer as records
from ledger_transactions as header
order by records
