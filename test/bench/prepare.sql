-- What the fill needs beside the host's tables. It lives in a schema of its own, which finish.sql drops.
--   bench.entries, bench.shape    settings of this session: about how many entries, and what the ledger looks like
create schema bench;

create unlogged table bench.size as
select
  shape.name as shape,
  shape.legs,
  shape.transactions,
  shape.users,
  shape.users * case shape.legs when 2 then 2 else 1 end as openings,
  400 as lately, -- so many minutes before now end with one transaction every ten of them
  date_trunc('second', now()) as now
from (
  select
    given.shape as name,
    given.legs,
    ceil(given.entries / given.legs::numeric)::bigint as transactions,
    greatest(10, given.entries / 200) as users
  from (
    select
      current_setting('bench.shape') as shape,
      current_setting('bench.entries')::bigint as entries,
      case current_setting('bench.shape') when 'three-legs' then 3 else 2 end as legs
  ) as given
) as shape;

-- The same random number from 0 to 1 for the same number and purpose, always, with 18 decimals.
create function bench.draw(number bigint, purpose bigint) returns numeric
language sql immutable parallel safe
return abs(hashint8extended(number, purpose) % 1000000000000000000) * 0.000000000000000001;

create function bench.account_id(user_number bigint, account_type text) returns uuid
language sql immutable parallel safe
return md5('account ' || coalesce(user_number::text, 'system') || ' ' || account_type)::uuid;

-- One transaction in 500 takes back one that was booked a little earlier.
create function bench.original_of(reversal bigint) returns bigint
language sql immutable parallel safe
return reversal - 8 - floor(bench.draw(reversal, 1) * 400)::bigint;

-- How each kind of transaction is booked. A share is all of what the side moves, or the greater or smaller part of it.
create unlogged table bench.leg as
select rule.*, row_number() over (partition by rule.legs, rule.kind) as position
from (
  values
    (2, 'opening', 'debit', 'usdc_balance', 'all'),
    (2, 'opening', 'credit', 'system_buffer_usdc', 'all'),
    (2, 'opening_spending', 'debit', 'spending_balance', 'all'),
    (2, 'opening_spending', 'credit', 'system_buffer_usdc', 'all'),
    (2, 'deposit', 'debit', 'usdc_balance', 'all'),
    (2, 'deposit', 'credit', 'system_buffer_usdc', 'all'),
    (2, 'investment', 'credit', 'usdc_balance', 'all'),
    (2, 'investment', 'debit', 'fiat_exposure', 'all'),
    (2, 'withdrawal', 'credit', 'usdc_balance', 'all'),
    (2, 'withdrawal', 'debit', 'system_buffer_usdc', 'all'),
    (2, 'usdc_to_usd', 'credit', 'system_buffer_usdc', 'all'),
    (2, 'usdc_to_usd', 'debit', 'system_buffer_fiat', 'all'),
    (2, 'usd_to_usdc', 'credit', 'system_buffer_fiat', 'all'),
    (2, 'usd_to_usdc', 'debit', 'system_buffer_usdc', 'all'),
    (2, 'to_spending', 'credit', 'usdc_balance', 'all'),
    (2, 'to_spending', 'debit', 'spending_balance', 'all'),
    (2, 'to_stash', 'credit', 'usdc_balance', 'all'),
    (2, 'to_stash', 'debit', 'stash_balance', 'all'),
    (2, 'from_spending', 'credit', 'spending_balance', 'all'),
    (2, 'from_spending', 'debit', 'usdc_balance', 'all'),
    (3, 'opening', 'debit', 'usdc_balance', 'greater'),
    (3, 'opening', 'debit', 'spending_balance', 'smaller'),
    (3, 'opening', 'credit', 'system_buffer_usdc', 'all'),
    (3, 'deposit', 'debit', 'usdc_balance', 'greater'),
    (3, 'deposit', 'debit', 'spending_balance', 'smaller'),
    (3, 'deposit', 'credit', 'system_buffer_usdc', 'all'),
    (3, 'investment', 'credit', 'usdc_balance', 'greater'),
    (3, 'investment', 'credit', 'spending_balance', 'smaller'),
    (3, 'investment', 'debit', 'fiat_exposure', 'all'),
    (3, 'withdrawal', 'credit', 'usdc_balance', 'greater'),
    (3, 'withdrawal', 'credit', 'spending_balance', 'smaller'),
    (3, 'withdrawal', 'debit', 'system_buffer_usdc', 'all'),
    (3, 'usdc_to_usd', 'credit', 'system_buffer_usdc', 'all'),
    (3, 'usdc_to_usd', 'debit', 'system_buffer_fiat', 'greater'),
    (3, 'usdc_to_usd', 'debit', 'broker_operational', 'smaller'),
    (3, 'usd_to_usdc', 'credit', 'system_buffer_fiat', 'greater'),
    (3, 'usd_to_usdc', 'credit', 'broker_operational', 'smaller'),
    (3, 'usd_to_usdc', 'debit', 'system_buffer_usdc', 'all'),
    (3, 'to_spending', 'credit', 'usdc_balance', 'all'),
    (3, 'to_spending', 'debit', 'spending_balance', 'greater'),
    (3, 'to_spending', 'debit', 'stash_balance', 'smaller'),
    (3, 'to_stash', 'credit', 'usdc_balance', 'all'),
    (3, 'to_stash', 'debit', 'stash_balance', 'greater'),
    (3, 'to_stash', 'debit', 'spending_balance', 'smaller'),
    (3, 'from_spending', 'credit', 'spending_balance', 'all'),
    (3, 'from_spending', 'debit', 'usdc_balance', 'greater'),
    (3, 'from_spending', 'debit', 'stash_balance', 'smaller')
) as rule (legs, kind, entry_type, account_type, share)
inner join bench.size on size.legs = rule.legs;

analyze bench.size, bench.leg;
