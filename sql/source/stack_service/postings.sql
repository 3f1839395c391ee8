-- One row per entry that books a deposit, a withdrawal or a conversion job.
--   a deposit:     the debits on users' accounts
--   a withdrawal:  the credits on users' accounts
--   a conversion:  its credits are the source leg, its debits the destination leg
-- A reversal turns the sides round and counts negative; a reversal of a reversal turns them back.
with recursive
header as (
  select
    stored.id::uuid as id,
    stored.reference_id::uuid as reference_id,
    stored.status::text as status,
    (stored.transaction_type::text = 'reversal') is true as is_reversal,
    case -- null: this transaction books no record
      when stored.idempotency_key::text like 'migration\_%' then null -- an opening balance
      when reference.type = 'deposit' then 'deposit'
      when reference.type = 'allocation_split' then 'deposit' -- one deposit, booked over several accounts
      when reference.type = 'withdrawal' then 'withdrawal'
      -- a conversion that names no job is an ordinary movement of a user's money
      when reference.type in ('conversion', 'conversion_job') and stored.reference_id is not null then 'conversion_job'
    end as record_kind
  from ledger_transactions as stored
  cross join lateral (
    -- the host writes the type in either case, and leaves it out where it equals the transaction's own type
    select lower(coalesce(stored.reference_type::text, stored.transaction_type::text)) as type
  ) as reference
),
reversal as ( -- the few transactions that name another transaction
  select header.id, header.status, header.reference_id
  from header
  where header.is_reversal and header.record_kind is null
),
reversed_original as ( -- from each reversal up to what it reverses in the end
  select reversal.id, reversal.status, reversal.reference_id as original_id, 1 as turns
  from reversal
  union all
  select reversed_original.id, reversed_original.status, reversal.reference_id, reversed_original.turns + 1
  from reversed_original
  inner join reversal on reversal.id = reversed_original.original_id
  where reversed_original.turns < 16 -- two reversals that name each other must not run for ever
),
booking as (
  select header.id, header.status, header.record_kind, header.reference_id as record_id, header.is_reversal as turned
  from header
  where header.record_kind is not null
  union all
  select
    reversed_original.id,
    reversed_original.status,
    original.record_kind,
    original.reference_id,
    (reversed_original.turns + case when original.is_reversal then 1 else 0 end) % 2 = 1
  from reversed_original
  inner join header as original on original.id = reversed_original.original_id and original.record_kind is not null
),
account as ( -- an id that stands twice, its key switched off, must not double what was posted
  select distinct on (stored.id::uuid)
    stored.id::uuid as id,
    stored.user_id::uuid as user_id,
    stored.account_type::text as account_type
  from ledger_accounts as stored
  order by stored.id::uuid, stored.user_id::uuid, stored.account_type::text
),
side as (
  select
    entry.id::uuid as entry_id,
    booking.id as transaction_id,
    booking.record_kind,
    booking.record_id,
    (entry.entry_type::text = 'debit') <> booking.turned as is_debit,
    account.user_id,
    account.id is null as account_unknown,
    account.account_type,
    entry.currency::text as currency,
    case when booking.turned then -entry.amount::numeric else entry.amount::numeric end as amount,
    booking.status,
    entry.created_at::timestamptz as posted_at
  from booking
  inner join ledger_entries as entry on entry.transaction_id::uuid = booking.id
  left join account on account.id = entry.account_id::uuid
  where entry.entry_type::text in ('debit', 'credit')
)
select
  side.entry_id,
  side.transaction_id,
  side.record_kind,
  side.record_id,
  case when side.is_debit then 'destination' else 'source' end as leg,
  side.user_id,
  side.account_type,
  side.currency,
  side.amount,
  side.status,
  side.posted_at
from side
where
  -- an account that does not exist is reported by itself; its entry still books the record
  case side.record_kind
    when 'deposit' then side.is_debit and (side.user_id is not null or side.account_unknown)
    when 'withdrawal' then not side.is_debit and (side.user_id is not null or side.account_unknown)
    else true
  end
