-- The newest entries of the accounts asked for.
select
  entry.transaction_id,
  header.transaction_type,
  header.status,
  header.record_kind,
  header.reference_type,
  header.reference_id,
  entry.created_at,
  entry.id as entry_id,
  entry.entry_type,
  entry.amount,
  entry.currency,
  entry.account_id,
  account.account_type,
  account.user_id
from ledger_entries as entry
cross join params
left join ledger_transactions as header on header.id = entry.transaction_id
left join ledger_accounts as account on account.id = entry.account_id
where entry.account_id = any (params.accounts)
order by entry.created_at desc, entry.id
limit 100
