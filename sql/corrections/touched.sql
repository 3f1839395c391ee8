-- What else is known to be wrong and touches one of these accounts: transactions with an entry on it, or on another one of
-- its user, whoever's transaction it is; and custodians of whose position it is a part.
select 'transaction:' || entry.transaction_id as subject
from ledger_entries as entry
cross join params
where
  entry.transaction_id = any (params.transactions)
  and (
    entry.account_id = any (params.accounts)
    or exists (
      select
      from ledger_accounts as account
      inner join ledger_accounts as other on other.user_id = account.user_id
      where account.id = any (params.accounts) and other.id = entry.account_id
    )
  )
union
select 'custodian:' || position.custodian as subject
from ledger_accounts as account
cross join params
inner join custody_positions as position
  on
    position.currency = account.currency
    and (position.user_id = account.user_id or (position.user_id is null and account.user_id is null))
where account.id = any (params.accounts)
order by subject
