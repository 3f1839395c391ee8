-- Transactions with rules of their own, which no sum over all can prove: reversals and what they reverse, and
-- conversions whose amounts are those of a job.
select header.id, header.transaction_type is not distinct from 'reversal' or header.status is not distinct from 'reversed' as turned
from ledger_transactions as header
where
  header.id is not null -- nobody could ask for it by name; the findings look at those anyway
  and (
    header.status = 'reversed'
    or header.transaction_type = 'reversal'
    or (
      header.transaction_type in ('conversion', 'investment')
      and header.record_kind = 'conversion_job'
      and header.status is distinct from 'failed'
      and header.status is distinct from 'pending'
    )
  )
order by header.id
