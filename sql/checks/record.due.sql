-- Each record, whether its postings are certain, and the weight that the proofs give it.
with
stated as ( -- a `with` of its own, so that the state is worked out once (header.sql)
  select
    records.*,
    params.as_of,
    params.grace_period,
    params.seed,
    params.record_kind = any (params.kinds_with_user) as names_user,
    exists (
      select from records as named where coalesce(named.source_currency, named.destination_currency) is not null
    ) as names_currency
  from records
  cross join params
)
select
  stated.id,
  stated.state,
  stated.source_amount,
  stated.source_currency,
  stated.destination_amount,
  stated.destination_currency,
  case
    when stated.names_user then uuid_hash_extended(stated.user_id, uuid_hash_extended(stated.id, stated.seed))
    else uuid_hash_extended(stated.id, stated.seed)
  end & 2147483647 as weight,
  (
    stated.valid
    and (
      stated.state = 'failed'
      or (
        stated.state = 'settled'
        and (
          stated.settled_at > stated.as_of - stated.grace_period and stated.settled_at <= stated.as_of + stated.grace_period
        ) is not true
      )
    )
    and (stated.user_id is not null) = stated.names_user
    and (stated.source_amount is null or (stated.source_currency is not null) = stated.names_currency)
    and (stated.destination_amount is null or (stated.destination_currency is not null) = stated.names_currency)
    -- of a conversion without a destination amount only the source is compared
    and (stated.source_amount is null or stated.destination_amount is not null or not stated.names_transaction)
    and (
      not stated.names_transaction
      or stated.state = 'failed'
      or exists (
        select from ledger_transactions as header
        where
          header.id = stated.ledger_transaction_id
          and header.reference_id = stated.id
          and header.transaction_type is distinct from 'reversal'
          and header.status is distinct from 'failed' and header.status is distinct from 'pending'
          and exists (select from ledger_entries as entry where entry.transaction_id = header.id)
      )
    )
  ) is true as judged
from stated
