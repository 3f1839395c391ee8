-- One row per transaction, in the order in which they are booked. What a transaction is follows from its number alone;
-- a reversal is drawn with the number of its original, and so repeats it. `offset 0`: what is drawn in one step is not
-- drawn again wherever the next one names it.
create unlogged table bench.plan as
with
numbered as (
  select
    series.number,
    case
      when series.number % 500 = 0 and series.number > size.openings + 500 then bench.original_of(series.number)
    end as reverses,
    series.number / 500 * 500 + 500 as next_reversal
  from bench.size
  cross join lateral generate_series(1, size.transactions) as series (number)
),
drawn as (
  select
    numbered.number,
    numbered.reverses,
    coalesce(numbered.reverses, numbered.number) as seed,
    numbered.number > size.openings
    and numbered.next_reversal > size.openings + 500
    and numbered.next_reversal <= size.transactions
    and numbered.number = bench.original_of(numbered.next_reversal) as reversed
  from numbered
  cross join bench.size
  offset 0
),
kinds as (
  select
    drawn.*,
    size.*,
    case
      when drawn.seed <= size.users then 'opening'
      when drawn.seed <= size.openings then 'opening_spending'
      when share.of_kinds < 0.5 then 'deposit'
      when share.of_kinds < 0.7 then 'investment'
      when share.of_kinds < 0.8 then 'withdrawal'
      when share.of_kinds < 0.8025 then 'usdc_to_usd'
      when share.of_kinds < 0.805 then 'usd_to_usdc'
      when share.of_kinds < 0.925 then 'to_spending'
      when share.of_kinds < 0.955 then 'to_stash'
      else 'from_spending'
    end as kind
  from drawn
  cross join bench.size
  cross join lateral (select bench.draw(drawn.seed, 2) as of_kinds offset 0) as share
  offset 0
),
people as (
  select
    kinds.*,
    case
      when kinds.kind in ('opening', 'opening_spending') then (kinds.seed - 1) % kinds.users + 1
      when kinds.kind in ('usdc_to_usd', 'usd_to_usdc') then null
      when kinds.shape = 'hot-account' and bench.draw(kinds.seed, 3) < 0.82 then 1
      when kinds.kind = 'to_stash' and kinds.legs = 2 -- every second user has a stash
        then floor(bench.draw(kinds.seed, 4) * (kinds.users / 2))::bigint * 2 + 1
      else floor(bench.draw(kinds.seed, 4) * kinds.users)::bigint + 1
    end as user_number,
    bench.draw(kinds.seed, 5) as chance,
    bench.draw(kinds.seed, 6) as fineness
  from kinds
  offset 0
),
amounts as ( -- many are small; what users opened with covers whatever they spend
  select
    people.*,
    case
      when people.kind in ('opening', 'opening_spending') then round(5000 + 15000 * people.chance, 2)
      when people.kind in ('usdc_to_usd', 'usd_to_usdc') then round(1000 + 99000 * people.chance * people.chance, 6)
      when people.kind = 'deposit' then round(5 + 1995 * people.chance * people.chance, decimals.of_deposit)
      when people.kind = 'from_spending' then round(1 + 49 * people.chance, 2)
      else round(1 + 299 * people.chance * people.chance, least(decimals.of_deposit, 8))
    end as amount,
    1 + round((people.fineness - 0.5) * 0.002, 8) as rate
  from people
  cross join lateral (
    select
      case
        when people.fineness < 0.60 then 2
        when people.fineness < 0.95 then 6
        when people.fineness < 0.98 then 4
        else 18
      end as of_deposit
  ) as decimals
  offset 0
)
select
  amounts.number,
  amounts.reverses,
  amounts.reversed,
  amounts.seed,
  amounts.legs,
  amounts.kind,
  amounts.user_number,
  amounts.rate,
  amounts.amount as source,
  case
    when amounts.kind in ('usdc_to_usd', 'usd_to_usdc')
      then round(amounts.amount * amounts.rate - round(amounts.amount * 0.001, 6), 6)
    else amounts.amount
  end as destination,
  amounts.number > amounts.transactions - amounts.lately / 10 as is_late,
  case
    when amounts.number <= amounts.openings
      then amounts.now - interval '400 days' + interval '12 hours' * (amounts.number::float8 / amounts.openings)
    when amounts.number > amounts.transactions - amounts.lately / 10
      then amounts.now - interval '10 minutes' * (amounts.transactions - amounts.number + 1)
    else
      amounts.now - interval '399 days'
      + (interval '399 days' - interval '1 minute' * (amounts.lately + 60))
      -- where many are booked at once, they are not stored in the exact order of their times
      * ((amounts.number + 4 * bench.draw(amounts.number, 7)::float8) / (amounts.transactions + 4))
  end as at,
  md5('transaction ' || amounts.number)::uuid as transaction_id,
  md5(amounts.kind || ' ' || amounts.seed)::uuid as record_id
from amounts;

analyze bench.plan;
