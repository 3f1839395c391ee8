-- Every discrepancy between a record and its postings. A record may show several kinds; the one of the lowest rank in
-- src/kinds.ts is reported.
with
record_finding as (
  select
    verdict.kind,
    params.record_kind || ':' || coalesce(comparison.id::text, 'null') as subject,
    verdict.expected_value,
    verdict.actual_value,
    verdict.stake,
    comparison.currency,
    comparison.user_id as affected_user_id,
    jsonb_strip_nulls(
      jsonb_build_object(
        'status', comparison.status,
        'created_at', comparison.created_at,
        'settled_at', case comparison.state when 'settled' then comparison.settled_at end,
        'transactions', to_jsonb(comparison.transaction_ids),
        'source', case when comparison.source_amount is not null then jsonb_build_object(
          'amount', comparison.source_amount::text, 'posted', comparison.source_posted::text
        ) end,
        'destination', case when comparison.destination_amount is not null then jsonb_build_object(
          'amount', comparison.destination_amount::text, 'posted', comparison.destination_posted::text
        ) end,
        'astray', comparison.astray_postings,
        'ledger_transaction_id', comparison.ledger_transaction_id,
        'copies', nullif(comparison.copies, 1)
      )
    ) as metadata
  from comparison
  cross join params
  cross join lateral ( -- null: the leg that is shown differs the most
    select
      nullif(
        comparison.largest_difference,
        abs(comparison.posted - case comparison.state when 'failed' then 0 else comparison.amount end)
      ) as stake
  ) as other_leg
  cross join lateral ( -- an amount that is null is not zero: where nothing stands for it, nobody knows how much is missing
    select -- the destination of a job says nothing of what it took
      case
        when comparison.amount is null or (comparison.names_transaction and comparison.source_amount is null) then 'NaN'::numeric
      end as stake
  ) as unknown_amount
  cross join lateral ( -- what was posted, on either leg, is at stake even where the record names less, or no amount at all
    select greatest(abs(comparison.amount), abs(comparison.source_posted), abs(comparison.destination_posted)) as stake
  ) as unreadable
  cross join lateral (
    values
      ('unknown_status', comparison.state = 'unknown', null, null, unreadable.stake),
      ('invalid_record', not comparison.valid or comparison.copies > 1, null, null, unreadable.stake),
      (
        'duplicate_posting', -- a record booked in parts that add up is in order
        comparison.postings - comparison.reversals > 1 and comparison.posted > comparison.amount,
        comparison.amount, comparison.posted, other_leg.stake
      ),
      ('wrong_account', comparison.astray_postings is not null, null, null, comparison.amount),
      (
        'posted_for_failed',
        comparison.state = 'failed' and (comparison.source_posted <> 0 or comparison.destination_posted <> 0),
        0, comparison.posted, other_leg.stake
      ),
      (
        'reversed_for_settled',
        comparison.state = 'settled' and comparison.postings > 0 and comparison.reversals > 0
        and comparison.source_posted = 0 and comparison.destination_posted = 0,
        comparison.amount, 0, unknown_amount.stake
      ),
      (
        'missing_in_ledger',
        comparison.state = 'settled' and not comparison.in_grace and comparison.postings + comparison.reversals = 0,
        comparison.amount, 0, unknown_amount.stake
      ),
      (
        'amount_mismatch', -- a posting whose record is not final is in flight until the record's deadline
        comparison.postings + comparison.reversals > 0
        and (comparison.state = 'settled' or comparison.overdue)
        and (comparison.source_differs or comparison.destination_differs),
        comparison.amount, comparison.posted, other_leg.stake
      ),
      (
        'unlinked', -- one transaction names the job, but the job names none, or another, or what took it back
        comparison.names_transaction and comparison.state = 'settled' and not comparison.in_grace
        and comparison.postings > 0
        and comparison.ledger_transaction_id = any (comparison.transaction_ids[:comparison.postings]) is not true,
        null, null, null
      ),
      ('stuck', comparison.overdue, null, null, comparison.amount)
  ) as verdict (kind, holds, expected_value, actual_value, stake)
  where verdict.holds and (comparison.state <> 'unknown' or verdict.kind in ('unknown_status', 'invalid_record'))
),
booked_nothing as ( -- postings of this kind whose record does not exist
  select
    posting.record_id,
    posting.transaction_id,
    posting.user_id,
    posting.currency,
    posting.leg,
    posting.amount,
    posting.status,
    posting.posted_at,
    -- a reversal of it leaves nothing behind; postings that name no record at all stand each for themselves
    sum(posting.amount) over (
      partition by posting.record_id, posting.leg, case when posting.record_id is null then posting.transaction_id end
    ) as net
  from postings as posting
  left join records on records.id = posting.record_id
  where
    records.id is null
    and posting.status is distinct from 'failed'
    and posting.status is distinct from 'pending'
),
missing_in_source as (
  select
    'missing_in_source' as kind,
    'transaction:' || booked_nothing.transaction_id as subject,
    0::numeric as expected_value,
    coalesce(
      sum(booked_nothing.amount) filter (where booked_nothing.leg = 'source'), sum(booked_nothing.amount)
    ) as actual_value,
    null::numeric as stake,
    coalesce(
      min(booked_nothing.currency) filter (where booked_nothing.leg = 'source'), min(booked_nothing.currency)
    ) as currency,
    (array_agg(booked_nothing.user_id order by booked_nothing.user_id))[1] as affected_user_id,
    jsonb_strip_nulls(
      jsonb_build_object(
        'record', min(params.record_kind) || ':' || (array_agg(booked_nothing.record_id order by booked_nothing.record_id))[1],
        'posted_at', min(booked_nothing.posted_at)
      )
    ) as metadata
  from booked_nothing
  cross join params
  where
    booked_nothing.net <> 0
    -- what was reversed, and its reversal, are nothing together even where no record ties them to each other
    and (booked_nothing.record_id is not null or (booked_nothing.status is distinct from 'reversed' and booked_nothing.amount > 0))
    and (params.user_id is null or booked_nothing.user_id = params.user_id)
    and (params.since is null or booked_nothing.posted_at >= params.since)
    and (params.until is null or booked_nothing.posted_at < params.until)
  group by booked_nothing.transaction_id
)
select * from record_finding
union all
select * from missing_in_source
order by subject, kind
