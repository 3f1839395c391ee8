-- Sets the transaction that one job names, if it still names what was read.
update conversion_jobs as job
set ledger_transaction_id = (written.after ->> 'ledger_transaction_id')::uuid
from written
where
  job.id = written.id
  and job.ledger_transaction_id is not distinct from (written.before ->> 'ledger_transaction_id')::uuid
returning job.id
