-- Transactions with rules of their own, which no sum over all can prove: reversals and what they reverse.
select header.id
from ledger_transactions as header
where
  header.id is not null -- nobody could ask for it by name; the findings look at those anyway
  and (header.status = 'reversed' or header.transaction_type = 'reversal')
order by header.id
