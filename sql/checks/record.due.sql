-- Each record, what can be said of it without a look at its postings, and the weight that the proofs give it.
with
stated as (
  select
    records.*,
    params.as_of,
    params.grace_period,
    params.seed,
    params.record_kind,
    params.record_kind = any (params.kinds_with_user) as names_user,
    exists (
      select from records as named where coalesce(named.source_currency, named.destination_currency) is not null
    ) as names_currency
  from records
  cross join params
)
select
  stated.id,
  stated.source_amount,
  stated.source_currency,
  stated.destination_amount,
  stated.destination_currency,
  case
    when stated.names_user then uuid_hash_extended(stated.user_id, uuid_hash_extended(stated.id, stated.seed))
    else uuid_hash_extended(stated.id, stated.seed)
  end & 2147483647 as weight,
  -- settled: it is posted in full; failed: not at all; null: it has to be looked at
  case
    when
      stated.valid
      and (stated.user_id is not null) = stated.names_user
      and (stated.source_amount is null or (stated.source_currency is not null) = stated.names_currency)
      and (stated.destination_amount is null or (stated.destination_currency is not null) = stated.names_currency)
      -- of a conversion without a destination amount only the source is compared
      and (stated.source_amount is null or stated.destination_amount is not null or not stated.names_transaction)
      then
        case stated.state -- the host's words are looked up once per row
          when 'failed' then 'failed'
          when 'settled' then
            case
              when
                stated.settled_at > stated.as_of - stated.grace_period
                and stated.settled_at <= stated.as_of + stated.grace_period
                then null
              when not stated.names_transaction then 'settled'
              -- whether the transaction that it names is one of those that book it, as in postings.sql and in the findings;
              -- a scalar, so that it is asked by id: as `exists` it may be planned over the whole ledger
              when (
                select sum(entry.amount) >= 0 -- less takes back
                from ledger_transactions as header
                inner join ledger_entries as entry on entry.transaction_id = header.id
                where
                  header.id = stated.ledger_transaction_id
                  and header.reference_id = stated.id
                  and header.record_kind = stated.record_kind
                  and header.expects_record
                  and entry.entry_type in ('debit', 'credit') -- a job is booked by both
                  and header.transaction_type is distinct from 'reversal'
                  and header.status is distinct from 'failed' and header.status is distinct from 'pending'
              )
                then 'settled'
            end
        end
  end as verdict
from stated
