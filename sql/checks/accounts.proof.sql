-- What the entries must add up to: every stored balance less what the account held before its first entry, weighted as
-- in books.proof.sql. An account that cannot be added up is left out here and listed by accounts.suspects.sql.
select
  count(*) as accounts,
  sum(
    (uuid_hash_extended(account.id, params.seed) & 2147483647)
    * case account.normal_side when 'debit' then 1 when 'credit' then -1 end
    * (account.balance - account.opening_balance)
  ) filter (where account.balance - account.opening_balance > '-Infinity' and account.balance - account.opening_balance < 'Infinity')
  as by_account
from ledger_accounts as account
cross join params
where params.accounts is null or account.id = any (params.accounts)
order by accounts
