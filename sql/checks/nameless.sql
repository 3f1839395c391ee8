-- Transactions that should book a record of this kind and do not say which.
select header.id
from ledger_transactions as header
cross join params
where header.record_kind = params.record_kind and header.expects_record and header.reference_id is null
order by header.id
