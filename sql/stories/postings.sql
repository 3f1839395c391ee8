-- What the ledger booked for the records asked for: positive for a posting, negative for what takes it back.
select
  posting.entry_id,
  posting.transaction_id,
  posting.leg,
  posting.user_id,
  posting.account_type,
  posting.currency,
  posting.amount,
  posting.status,
  posting.posted_at
from postings as posting
order by posting.posted_at, posting.transaction_id, posting.entry_id
limit 100
