-- One pass over the entries that proves all plain movements of money at once. If each transaction balances, the sum of
-- all amounts, each weighted by a hash of its transaction, is the same for debits and credits; if each account holds
-- what its entries add up to, the sum weighted by account is that of the balances; if each record is posted in full to
-- its own user, the sum weighted by record and user is that of the records. One cent in the wrong place leaves a sum
-- that is off, but for one seed in two thousand million, and no run has the seed of another.
select
  header.movement,
  entry.currency,
  entry.entry_type,
  entry.amount > 0 and entry.amount < 'Infinity' as sound, -- NaN sorts above Infinity
  header.record_hash is not null as names_record,
  -- an account that does not exist is reported by itself; its entry still books the record
  account.user_id is not null or account.id is null as of_user,
  count(*) as entries,
  count(*) filter (where entry.transaction_id is null) as loose, -- the findings look at those in every run
  count(*) filter (
    where (
      entry.amount >= 0 and entry.amount < 'Infinity'
      and entry.id is not null and account.currency = entry.currency
    ) is not true
  ) as suspicious,
  count(*) filter (where entry.amount = 0) as zero,
  sum(entry.amount) as amount,
  sum(uuid_hash_extended(entry.transaction_id, params.seed)) as presence,
  sum((uuid_hash_extended(entry.transaction_id, params.seed) & 2147483647) * entry.amount) as by_transaction,
  sum((uuid_hash_extended(entry.account_id, params.seed) & 2147483647) * entry.amount) as by_account,
  sum(
    case header.names_user
      when true then (coalesce(uuid_hash_extended(account.user_id, header.record_hash), header.record_hash) & 2147483647) * entry.amount
      when false then (header.record_hash & 2147483647) * entry.amount
    end
  ) as by_record
from ledger_entries as entry
cross join params
left join header on header.id = entry.transaction_id
left join ledger_accounts as account on account.id = entry.account_id
where
  (params.transactions is null or entry.transaction_id = any (params.transactions))
  and (params.records is null or header.record_id = any (params.records))
group by
  header.movement, entry.currency, entry.entry_type, entry.amount > 0 and entry.amount < 'Infinity',
  header.record_hash is not null, account.user_id is not null or account.id is null
order by header.movement, entry.currency, entry.entry_type, sound, names_record, of_user
