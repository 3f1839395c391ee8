-- What was compared, per currency: settled records against their postings. Records still in their grace period and
-- postings of records that are not final yet are left out of both sides and shown by themselves.
with
leg as (
  select
    comparison.state,
    comparison.in_grace and comparison.postings + comparison.reversals = 0 as awaited,
    comparison.overdue,
    leg.is_first,
    leg.currency,
    leg.amount,
    leg.posted,
    unsaid.holds as not_compared
  from comparison
  cross join lateral (
    values
      (
        comparison.source_amount is not null,
        comparison.shown_source_currency, comparison.source_amount, comparison.source_posted
      ),
      (
        comparison.source_amount is null,
        comparison.shown_destination_currency,
        comparison.destination_amount, comparison.destination_posted
      )
  ) as leg (is_first, currency, amount, posted)
  cross join lateral ( -- of a job without a destination amount only the source can be compared: no finding tells of that
    select
      leg.amount is null and comparison.names_transaction and comparison.valid and comparison.state = 'settled'
      and comparison.postings + comparison.reversals > 0 as holds
  ) as unsaid
  where leg.is_first or leg.amount is not null or leg.posted <> 0 or unsaid.holds -- a record has one leg or two
),
booked_nothing as (
  select posting.currency, sum(posting.amount) as posted
  from postings as posting
  cross join params
  left join records on records.id = posting.record_id
  where
    records.id is null
    and posting.status is distinct from 'failed'
    and posting.status is distinct from 'pending'
    and (params.user_id is null or posting.user_id = params.user_id)
    and (params.since is null or posting.posted_at >= params.since)
    and (params.until is null or posting.posted_at < params.until)
  group by posting.currency
),
part as (
  select
    leg.currency,
    count(*) filter (where leg.is_first) as compared,
    sum(leg.amount) filter (where leg.state = 'settled' and not leg.awaited) as expected_value,
    sum(leg.posted) filter (where leg.state <> 'pending') as actual_value,
    count(*) filter (where leg.awaited) as awaited,
    sum(leg.amount) filter (where leg.awaited) as awaited_amount,
    count(*) filter (where leg.state = 'pending' and not leg.overdue and leg.posted <> 0) as in_flight,
    sum(leg.posted) filter (where leg.state = 'pending' and not leg.overdue) as in_flight_amount,
    count(*) filter (where leg.not_compared) as not_compared,
    sum(leg.posted) filter (where leg.not_compared) as not_compared_amount
  from leg
  group by leg.currency
  union all
  select booked_nothing.currency, 0, null, booked_nothing.posted, 0, null, 0, null, 0, null
  from booked_nothing
)
select
  part.currency,
  sum(part.compared)::bigint as compared,
  coalesce(sum(part.expected_value), 0) as expected_value,
  coalesce(sum(part.actual_value), 0) as actual_value,
  sum(part.awaited)::bigint as awaited,
  coalesce(sum(part.awaited_amount), 0) as awaited_amount,
  sum(part.in_flight)::bigint as in_flight,
  coalesce(sum(part.in_flight_amount), 0) as in_flight_amount,
  jsonb_strip_nulls(
    jsonb_build_object(
      'not_compared', nullif(sum(part.not_compared), 0),
      'not_compared_amount', trim_scale(sum(part.not_compared_amount))::text
    )
  ) as details
from part
group by part.currency
order by part.currency
