-- The transactions that belong together with those asked for: a reversal and what it reverses, and whatever else names
-- the record of a reversal that names one, of whatever kind. Asked again with the answer until nothing new comes, it
-- gives whole families. A reversal names a transaction by the same words as in ledger_consistency.findings.sql.
with
member as materialized ( -- as many as were asked for, looked up once for all of the branches
  select
    header.id,
    header.reference_id,
    header.transaction_type = 'reversal' as turned,
    (header.reference_type in ('reversal', 'transaction', 'ledger_transaction')) is not false as names_transaction
  from ledger_transactions as header
  cross join params
  where header.id = any (params.transactions)
)
select member.reference_id as id
from member
where member.turned and member.names_transaction and member.reference_id is not null
union
select reversal.id
from ledger_transactions as reversal
cross join params
where
  reversal.reference_id = any (params.transactions)
  and reversal.transaction_type = 'reversal'
  and (reversal.reference_type in ('reversal', 'transaction', 'ledger_transaction')) is not false
union
select namesake.id
from ledger_transactions as namesake
where namesake.reference_id = any (array(select member.reference_id from member where member.turned and not member.names_transaction))
union
select reversal.id
from ledger_transactions as reversal
where
  reversal.reference_id = any (array(select member.reference_id from member where member.reference_id is not null))
  and reversal.transaction_type = 'reversal'
  and reversal.reference_type not in ('reversal', 'transaction', 'ledger_transaction')
order by id
