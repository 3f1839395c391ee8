-- What each transaction of the ledger did to a position of custody_positions: the same accounts, in the same sign. A
-- pending one stands in the balances already, while the custodian may still have to move the money.
select
  case account.account_type::text when 'fiat_exposure' then 'alpaca' else 'circle' end as custodian,
  entry.currency::text as currency,
  transaction.user_id::uuid as user_id,
  transaction.id::uuid as transaction_id,
  case entry.entry_type::text when 'debit' then entry.amount when 'credit' then -entry.amount end::numeric as amount,
  transaction.status::text as status,
  transaction.created_at::timestamptz as created_at
from ledger_transactions as transaction
inner join ledger_entries as entry on entry.transaction_id = transaction.id
inner join ledger_accounts as account on account.id = entry.account_id
where account.account_type::text in ('system_buffer_usdc', 'fiat_exposure')
