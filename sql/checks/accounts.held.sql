-- What the entries of the accounts asked for add up to, weighted as in books.proof.sql.
select
  sum(
    (uuid_hash_extended(entry.account_id, params.seed) & 2147483647)
    * case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end
  ) as by_account
from ledger_entries as entry
cross join params
where entry.account_id = any (params.accounts)
order by by_account
