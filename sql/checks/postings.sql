-- One row per entry that books a record of the kind asked for, or one of the records asked for: positive for a posting,
-- negative for what takes it back.
with recursive
booking as not materialized (
  select
    header.id,
    header.status,
    header.record_kind,
    header.reference_id as record_id,
    header.transaction_type is not distinct from 'reversal' as turned
  from ledger_transactions as header
  cross join params
  where
    header.record_kind = params.record_kind
    and header.expects_record -- an opening balance looks like a deposit
    and (
      params.records is null
      or header.reference_id = any (params.records)
      or (header.reference_id is null and header.id = any (params.transactions))
    )
),
-- The few transactions that name the transaction which they reverse: by the same words as in
-- ledger_consistency.findings.sql.
reversal as not materialized (
  select header.id, header.status, header.reference_id
  from ledger_transactions as header
  where
    header.transaction_type = 'reversal'
    and header.record_kind is null
    and (header.reference_type in ('reversal', 'transaction', 'ledger_transaction')) is not false
),
-- A reversal of a reversal restores the original, and so on, over as many turns as it takes.
further (id, status, record_kind, record_id, turned) as (
  select reversal.id, reversal.status, booking.record_kind, booking.record_id, booking.turned
  from booking
  inner join reversal as reversed on reversed.reference_id = booking.id
  inner join reversal on reversal.reference_id = reversed.id
  union all
  select reversal.id, reversal.status, further.record_kind, further.record_id, not further.turned
  from further
  inner join reversal on reversal.reference_id = further.id
)
cycle id set repeated using path, -- where a key is switched off, an id that stands twice may lead round in a circle
step as (
  select booking.id, booking.status, booking.record_kind, booking.record_id, booking.turned
  from booking
  union all
  select reversal.id, reversal.status, booking.record_kind, booking.record_id, not booking.turned
  from booking
  inner join reversal on reversal.reference_id = booking.id
  union all
  -- the few that there are as a list: a recursive query as a branch would keep the others from running in parallel
  select listed.id, listed.status, listed.record_kind, listed.record_id, listed.turned
  from unnest(
    array(
      select (further.id, further.status, further.record_kind, further.record_id, further.turned)
      from further
      where not further.repeated
    )
  ) as listed (id uuid, status text, record_kind text, record_id uuid, turned boolean)
)
select
  entry.id as entry_id,
  step.id as transaction_id,
  step.record_kind,
  step.record_id,
  record_leg.leg,
  account.user_id,
  account.account_type,
  entry.currency,
  case when step.turned then -entry.amount else entry.amount end as amount,
  step.status,
  entry.created_at as posted_at
from step
inner join ledger_entries as entry on entry.transaction_id = step.id
inner join record_legs as record_leg
  on
    record_leg.record_kind = step.record_kind
    -- as one case, of which the planner takes half of the rows to pass, not as a comparison, of which one in 200
    and case entry.entry_type
      when 'debit' then (record_leg.entry_type = 'debit') <> step.turned
      when 'credit' then (record_leg.entry_type = 'credit') <> step.turned
      else false
    end
left join lateral ( -- an id that stands twice, its key switched off, must not double what was posted
  select ledger_account.id, ledger_account.user_id, ledger_account.account_type
  from ledger_accounts as ledger_account
  where ledger_account.id = entry.account_id
  order by ledger_account.user_id, ledger_account.account_type
  limit 1
) as account on true
-- an account that does not exist is reported by itself; its entry still books the record
where not record_leg.only_users or account.user_id is not null or account.id is null
