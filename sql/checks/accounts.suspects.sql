-- Accounts that are wrong, or cannot be added up, whatever their entries say; ids that stand twice; and of the accounts
-- of one user and type the first.
select account.id
from ledger_accounts as account
cross join params
where
  (params.accounts is null or account.id = any (params.accounts))
  and (
    (account.user_id is not null and account.balance < 0)
    or (
      account.balance - account.opening_balance > '-Infinity' and account.balance - account.opening_balance < 'Infinity'
      and account.normal_side in ('debit', 'credit')
    ) is not true
  )
union
select account.id
from ledger_accounts as account
cross join params
where params.accounts is null -- of those asked for the findings look at every copy
group by account.id
having count(*) > 1
union
select min(account.id::text)::uuid
from ledger_accounts as account
cross join params
where
  params.accounts is null
  or account.user_id is null
  or account.user_id = any (
    array(select asked.user_id from ledger_accounts as asked where asked.id = any (params.accounts))
  )
group by account.user_id, account.account_type
having count(*) > 1
order by id
