-- Users, their transactions and entries, and the accounts with what the entries add up to.
insert into users (id, email, alpaca_account_id, created_at)
select
  md5('user ' || series.number)::uuid,
  'user' || series.number || '@example.com',
  md5('alpaca ' || series.number)::uuid::text,
  size.now - interval '500 days' + interval '1 second' * series.number
from bench.size
cross join lateral generate_series(1, size.users) as series (number);

insert into wallets (id, user_id, chain, address, circle_wallet_id, created_at)
select
  md5('wallet ' || series.number)::uuid,
  md5('user ' || series.number)::uuid,
  'BASE',
  '0x' || md5('address ' || series.number) || left(md5('checksum ' || series.number), 8),
  md5('circle ' || series.number)::uuid::text,
  size.now - interval '500 days' + interval '1 second' * series.number
from bench.size
cross join lateral generate_series(1, size.users) as series (number);

insert into ledger_transactions (
  id, user_id, transaction_type, reference_id, reference_type, status, idempotency_key, description, created_at,
  completed_at
)
select
  plan.transaction_id,
  md5('user ' || plan.user_number)::uuid,
  booked.transaction_type,
  case
    when plan.reverses is not null then md5('transaction ' || plan.reverses)::uuid
    when booked.reference_type is not null then plan.record_id
  end,
  booked.reference_type,
  case when plan.reversed then 'reversed' else 'completed' end,
  case when plan.kind in ('opening', 'opening_spending') then 'migration' else booked.transaction_type end
  || '_' || plan.transaction_id,
  booked.description,
  plan.at,
  plan.at
from bench.plan
cross join lateral (
  select kind.*
  from (
    values
      ('reversal', 'reversal', null, 'Taken back'),
      ('opening', 'deposit', null, 'Opening balance'),
      ('opening_spending', 'deposit', null, 'Opening balance'),
      ('deposit', 'deposit', case plan.legs when 2 then 'deposit' else 'allocation_split' end, 'USDC deposit on BASE'),
      ('investment', 'investment', 'order', 'Investment'),
      ('withdrawal', 'withdrawal', 'withdrawal', 'USDC withdrawal to BASE'),
      ('usdc_to_usd', 'conversion', 'conversion_job', 'USDC to USD'),
      ('usd_to_usdc', 'conversion', 'conversion_job', 'USD to USDC'),
      ('to_spending', 'internal_transfer', null, 'To spending'),
      ('to_stash', 'internal_transfer', null, 'To stash'),
      ('from_spending', 'internal_transfer', null, 'From spending')
  ) as kind (name, transaction_type, reference_type, description)
  where kind.name = case when plan.reverses is null then plan.kind else 'reversal' end
) as booked;

insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
select
  md5('entry ' || plan.number || ' ' || leg.position)::uuid,
  plan.transaction_id,
  bench.account_id(
    case when leg.account_type not in ('system_buffer_usdc', 'system_buffer_fiat', 'broker_operational') then plan.user_number end,
    leg.account_type
  ),
  case
    when plan.reverses is null then leg.entry_type
    when leg.entry_type = 'debit' then 'credit'
    else 'debit'
  end,
  case leg.share when 'all' then side.amount when 'greater' then side.greater else side.amount - side.greater end,
  case when leg.account_type in ('fiat_exposure', 'system_buffer_fiat', 'broker_operational') then 'USD' else 'USDC' end,
  plan.at
from bench.plan
inner join bench.leg on leg.kind = plan.kind
cross join lateral (
  select
    case leg.entry_type when 'credit' then plan.source else plan.destination end as amount,
    round(case leg.entry_type when 'credit' then plan.source else plan.destination end * 0.7, 2) as greater
) as side;

insert into ledger_accounts (id, user_id, account_type, currency, balance, created_at, updated_at)
with
moved as (
  select
    entry.account_id,
    sum(case entry.entry_type when 'debit' then entry.amount else -entry.amount end) as amount,
    max(entry.created_at) as at
  from ledger_entries as entry
  group by entry.account_id
),
account as (
  select series.number as user_number, kind.account_type, kind.currency
  from bench.size
  cross join lateral generate_series(1, size.users) as series (number)
  cross join (
    values ('usdc_balance', 'USDC'), ('fiat_exposure', 'USD'), ('spending_balance', 'USDC'), ('stash_balance', 'USDC')
  ) as kind (account_type, currency)
  where kind.account_type <> 'stash_balance' or size.legs = 3 or series.number % 2 = 1
  union all
  select null, kind.account_type, kind.currency
  from (
    values ('system_buffer_usdc', 'USDC'), ('system_buffer_fiat', 'USD'), ('broker_operational', 'USD')
  ) as kind (account_type, currency)
)
select
  bench.account_id(account.user_number, account.account_type),
  md5('user ' || account.user_number)::uuid,
  account.account_type,
  account.currency,
  coalesce(moved.amount, 0),
  size.now - interval '500 days',
  coalesce(moved.at, size.now - interval '500 days')
from account
cross join bench.size
left join moved on moved.account_id = bench.account_id(account.user_number, account.account_type);
