-- Marks one transaction as reversed, if it still is what was read.
update ledger_transactions as header
set status = written.after ->> 'status'
from written
where header.id = written.id and header.status = written.before ->> 'status'
returning header.id
