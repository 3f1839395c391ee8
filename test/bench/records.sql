-- The operational tables: a record for everything that names one, and some that nothing was booked for yet.
insert into deposits (
  id, user_id, chain, tx_hash, token, amount, status, confirmed_at, off_ramp_initiated_at, off_ramp_completed_at,
  alpaca_funded_at, created_at
)
select
  plan.record_id,
  md5('user ' || plan.user_number)::uuid,
  'BASE',
  '0x' || md5('deposit hash ' || plan.number) || md5('its other half ' || plan.number),
  'USDC',
  plan.destination,
  case when plan.reversed then 'reversed' when plan.is_late then 'confirmed' else 'completed' end,
  plan.at,
  case when not plan.is_late then plan.at + interval '1 minute' end,
  case when not plan.is_late then plan.at + interval '3 minutes' end,
  case when not plan.is_late then plan.at + interval '5 minutes' end,
  plan.at - interval '2 minutes'
from bench.plan
where plan.kind = 'deposit' and plan.reverses is null;

insert into withdrawals (
  id, user_id, alpaca_account_id, amount, destination_chain, destination_address, status, tx_hash, error_message,
  created_at, updated_at, completed_at
)
select
  plan.record_id,
  md5('user ' || plan.user_number)::uuid,
  md5('alpaca ' || plan.user_number)::uuid::text,
  plan.source,
  'BASE',
  '0x' || md5('address of ' || plan.user_number) || left(md5('checksum of ' || plan.user_number), 8),
  case when plan.reversed then 'failed' else 'completed' end,
  case when not plan.reversed then '0x' || md5('withdrawal hash ' || plan.number) || md5('the rest ' || plan.number) end,
  case when plan.reversed then 'The provider gave it back' end,
  (plan.at - interval '5 minutes') at time zone 'UTC',
  plan.at at time zone 'UTC',
  case when not plan.reversed then plan.at at time zone 'UTC' end
from bench.plan
where plan.kind = 'withdrawal' and plan.reverses is null;

insert into conversion_jobs (
  id, direction, amount, status, provider_name, ledger_transaction_id, source_amount, destination_amount, exchange_rate,
  fees_paid, submitted_at, completed_at, created_at
)
select
  plan.record_id,
  plan.kind::conversion_direction,
  plan.source,
  case when plan.reversed then 'failed' else 'completed' end::conversion_job_status,
  'due',
  plan.transaction_id,
  plan.source,
  plan.destination,
  plan.rate,
  round(plan.source * 0.001, 6),
  (plan.at - interval '10 minutes') at time zone 'UTC',
  plan.at at time zone 'UTC',
  (plan.at - interval '11 minutes') at time zone 'UTC'
from bench.plan
where plan.kind in ('usdc_to_usd', 'usd_to_usdc') and plan.reverses is null;

insert into deposits (id, user_id, chain, tx_hash, token, amount, status, created_at)
select
  md5('waiting deposit ' || series.number)::uuid,
  md5('user ' || series.number % size.users + 1)::uuid,
  'BASE',
  '0x' || md5('hash ' || series.number) || md5('the rest of hash ' || series.number),
  'USDC',
  100 + series.number,
  'pending',
  size.now - interval '5 minutes' * series.number
from bench.size
cross join generate_series(1, 40) as series (number);

insert into withdrawals (id, user_id, amount, destination_chain, destination_address, status, created_at, updated_at)
select
  md5('waiting withdrawal ' || series.number)::uuid,
  md5('user ' || series.number % size.users + 1)::uuid,
  10 + series.number,
  'BASE',
  '0x' || md5('address for ' || series.number) || left(md5('checksum for ' || series.number), 8),
  'initiated',
  (size.now - interval '10 minutes' * series.number) at time zone 'UTC',
  (size.now - interval '9 minutes' * series.number) at time zone 'UTC'
from bench.size
cross join generate_series(1, 20) as series (number);
