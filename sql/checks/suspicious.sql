-- Transactions with an entry that is wrong by itself: no such transaction or account, another currency than the
-- account's, an amount, type, currency or key that is invalid, or any entry where there should be none.
select distinct entry.transaction_id as id
from ledger_entries as entry
left join header on header.id = entry.transaction_id
left join ledger_accounts as account on account.id = entry.account_id
where
  entry.transaction_id is not null
  and (
    header.id is null
    or header.movement = 'unposted'
    or (
      entry.amount >= 0 and entry.amount < 'Infinity' -- NaN sorts above Infinity
      and entry.entry_type in ('debit', 'credit') and entry.currency in ('USDC', 'USD')
      and entry.id is not null and account.currency = entry.currency
    ) is not true
  )
order by id
