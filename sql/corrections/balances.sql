-- What these accounts store, and which side of an entry raises it.
select account.id, account.balance, account.normal_side
from ledger_accounts as account
cross join params
where account.id = any (params.accounts)
order by account.id
