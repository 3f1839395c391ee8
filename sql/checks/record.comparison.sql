-- One row per record, beside everything that the ledger booked for it. Reversals count negative, so that an original
-- and its completed mirror are nothing together.
with
record as (
  select
    records.id,
    records.user_id,
    case when records.state in ('pending', 'settled', 'failed') then records.state else 'unknown' end as state,
    records.status,
    records.settled_at,
    records.created_at,
    records.source_amount,
    records.source_currency,
    records.destination_amount,
    records.destination_currency,
    records.valid is true as valid,
    records.names_transaction,
    records.ledger_transaction_id,
    count(*) over (partition by records.id) as copies, -- the host's primary key may be switched off
    -- clocks differ by less than the grace period: a time further ahead is wrong, and must not hide its record for ever
    (
      records.state = 'settled'
      and records.settled_at > params.as_of - params.grace_period
      and records.settled_at <= params.as_of + params.grace_period
    ) is true as in_grace,
    (
      records.state = 'pending'
      and (
        records.created_at > params.as_of - params.deadline
        and records.created_at <= params.as_of + params.grace_period
      ) is not true
    ) is true as overdue
  from records
  cross join params
  where params.records is null or records.id = any (params.records) or records.id is null -- nobody could ask for those by name
),
posted as ( -- failed transactions moved nothing; pending ones have not moved anything yet
  select
    posting.record_id,
    posting.transaction_id,
    sum(posting.amount) filter (where posting.leg = 'source') as source_amount,
    sum(posting.amount) filter (where posting.leg = 'destination') as destination_amount,
    sum(posting.amount) as amount,
    min(posting.currency) filter (where posting.leg = 'source') as source_currency,
    min(posting.currency) filter (where posting.leg = 'destination') as destination_currency
  from postings as posting
  where
    posting.record_id is not null
    and posting.status is distinct from 'failed'
    and posting.status is distinct from 'pending'
  group by posting.record_id, posting.transaction_id
),
booked as (
  select
    posted.record_id,
    count(*) filter (where (posted.amount < 0) is not true) as postings, -- also of NaN, or of no amount at all
    count(*) filter (where posted.amount < 0) as reversals,
    coalesce(sum(posted.source_amount), 0) as source_posted,
    coalesce(sum(posted.destination_amount), 0) as destination_posted,
    min(posted.source_currency) as source_currency,
    min(posted.destination_currency) as destination_currency,
    -- the postings first, then the reversals: the findings cut the list between them
    array_agg(posted.transaction_id order by (posted.amount < 0) is true, posted.transaction_id) as transaction_ids
  from posted
  group by posted.record_id
),
astray as ( -- what stands on another user's account or in another currency, net of reversals, each account by itself
  select
    net.record_id,
    jsonb_agg(
      jsonb_build_object('user_id', net.user_id, 'currency', net.currency, 'amount', net.amount::text)
      order by net.user_id, net.currency
    ) as postings
  from (
    select posting.record_id, posting.leg, posting.user_id, posting.currency, sum(posting.amount) as amount
    from postings as posting
    inner join record on record.id = posting.record_id
    where
      posting.status is distinct from 'failed'
      and posting.status is distinct from 'pending'
      and (
        posting.user_id <> record.user_id
        or posting.currency
        <> case posting.leg when 'source' then record.source_currency else record.destination_currency end
      )
    group by posting.record_id, posting.leg, posting.user_id, posting.currency
    having sum(posting.amount) <> 0
  ) as net
  group by net.record_id
),
both_sides as (
  select
    record.*,
    coalesce(booked.postings, 0) as postings,
    coalesce(booked.reversals, 0) as reversals,
    coalesce(booked.source_posted, 0) as source_posted,
    coalesce(booked.destination_posted, 0) as destination_posted,
    -- where the host's table names no currency, what was booked tells
    coalesce(record.source_currency, booked.source_currency) as shown_source_currency,
    coalesce(record.destination_currency, booked.destination_currency) as shown_destination_currency,
    booked.transaction_ids,
    astray.postings as astray_postings,
    coalesce(booked.source_posted, 0) <> due.source_amount as source_differs, -- null: not compared
    coalesce(booked.destination_posted, 0) <> due.destination_amount as destination_differs
  from record
  cross join lateral (
    select -- of a failed record nothing should stand
      case when record.state = 'failed' and record.source_amount is not null then 0 else record.source_amount end
      as source_amount,
      case when record.state = 'failed' and record.destination_amount is not null then 0 else record.destination_amount end
      as destination_amount
  ) as due
  left join booked on booked.record_id = record.id
  left join astray on astray.record_id = record.id
)
select
  both_sides.*,
  -- the leg to show: the one that disagrees, the source first
  case when shown.source then both_sides.source_amount else both_sides.destination_amount end as amount,
  case when shown.source then both_sides.source_posted else both_sides.destination_posted end as posted,
  case when shown.source then both_sides.shown_source_currency else both_sides.shown_destination_currency end as currency,
  -- of both legs, whichever is shown: half a unit on one must not hide thousands on the other
  case both_sides.state
    when 'failed' then greatest(abs(both_sides.source_posted), abs(both_sides.destination_posted))
    else greatest(
      abs(both_sides.source_posted - both_sides.source_amount),
      abs(both_sides.destination_posted - both_sides.destination_amount)
    )
  end as largest_difference
from both_sides
cross join params
cross join lateral (
  select
    both_sides.source_amount is not null
    and (both_sides.source_differs or both_sides.destination_differs is not true) as source
) as shown
cross join lateral (
  select case both_sides.state when 'settled' then both_sides.settled_at else both_sides.created_at end as at
) as moment
where -- which records are looked at; what the ledger booked for them is looked for everywhere
  (params.user_id is null or both_sides.user_id = params.user_id)
  and (params.since is null or moment.at >= params.since)
  and (params.until is null or moment.at < params.until)
