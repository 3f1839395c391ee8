-- The schema of the first host, as its own migrations leave it: what recon meets in production. Only what
-- recon reads, and what the host needs to keep it in order, is here.

create table users (
  id uuid primary key,
  email varchar(255) not null unique,
  alpaca_account_id varchar(100) unique,
  created_at timestamp with time zone not null default now()
);

create table wallets (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  chain varchar(20) not null,
  address varchar(100) not null unique,
  circle_wallet_id varchar(100) unique,
  status varchar(20) not null default 'live',
  created_at timestamp with time zone not null default now(),
  unique (user_id, chain)
);

create table ledger_accounts (
  id uuid primary key,
  user_id uuid references users (id),
  account_type varchar(50) not null,
  currency varchar(10) not null check (currency in ('USDC', 'USD')),
  balance numeric(36, 18) not null default 0,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  check (
    account_type in (
      'usdc_balance', 'fiat_exposure', 'pending_investment', 'spending_balance', 'stash_balance',
      'system_buffer_usdc', 'system_buffer_fiat', 'broker_operational'
    )
  ),
  check ((user_id is null) = (account_type in ('system_buffer_usdc', 'system_buffer_fiat', 'broker_operational')))
);

create unique index ledger_accounts_user_type_key on ledger_accounts (user_id, account_type) where user_id is not null;
create unique index ledger_accounts_system_type_key on ledger_accounts (account_type) where user_id is null;

create table ledger_transactions (
  id uuid primary key,
  user_id uuid references users (id),
  transaction_type varchar(50) not null check (
    transaction_type in (
      'deposit', 'withdrawal', 'investment', 'conversion', 'internal_transfer', 'buffer_replenishment', 'reversal'
    )
  ),
  reference_id uuid,
  reference_type varchar(50),
  status varchar(20) not null default 'pending' check (status in ('pending', 'completed', 'reversed', 'failed')),
  idempotency_key varchar(255) not null unique,
  description text,
  metadata jsonb,
  created_at timestamp with time zone not null default now(),
  completed_at timestamp with time zone
);

create index ledger_transactions_user_id_idx on ledger_transactions (user_id);
create index ledger_transactions_reference_id_idx on ledger_transactions (reference_id);
create index ledger_transactions_created_at_idx on ledger_transactions (created_at);
create index ledger_transactions_pending_idx on ledger_transactions (created_at) where status = 'pending';

create table ledger_entries (
  id uuid primary key,
  transaction_id uuid not null references ledger_transactions (id),
  account_id uuid not null references ledger_accounts (id),
  entry_type varchar(10) not null check (entry_type in ('debit', 'credit')),
  amount numeric(36, 18) not null check (amount >= 0),
  currency varchar(10) not null,
  description text,
  metadata jsonb,
  created_at timestamp with time zone not null default now()
);

create index ledger_entries_transaction_id_idx on ledger_entries (transaction_id);
create index ledger_entries_account_id_idx on ledger_entries (account_id, created_at);
create index ledger_entries_created_at_idx on ledger_entries (created_at);

create function refuse_change_of_ledger_entry() returns trigger language plpgsql as $$
begin
  raise exception 'ledger entries are immutable';
end
$$;

create trigger ledger_entries_immutable before update or delete on ledger_entries
for each row execute function refuse_change_of_ledger_entry();

create table deposits (
  id uuid primary key,
  user_id uuid not null references users (id),
  chain varchar(20) not null,
  tx_hash varchar(100) not null unique,
  token varchar(20) not null,
  amount numeric(36, 18) not null check (amount > 0),
  status varchar(50) not null default 'pending' check (
    status in (
      'pending', 'confirmed', 'off_ramp_initiated', 'off_ramp_completed', 'broker_funded', 'completed', 'failed',
      'reversed'
    )
  ),
  confirmed_at timestamp with time zone,
  off_ramp_initiated_at timestamp with time zone,
  off_ramp_completed_at timestamp with time zone,
  alpaca_funded_at timestamp with time zone,
  created_at timestamp with time zone not null default now()
);

create index deposits_user_id_idx on deposits (user_id);
create index deposits_status_idx on deposits (status, created_at);
create index deposits_created_at_idx on deposits (created_at);

create table withdrawals (
  id uuid primary key,
  user_id uuid not null references users (id),
  alpaca_account_id varchar(100),
  amount numeric(20, 8) not null check (amount > 0),
  destination_chain varchar(20) not null,
  destination_address varchar(100) not null,
  status varchar(50) not null default 'pending' check (
    status in (
      'pending', 'initiated', 'processing', 'alpaca_debited', 'due_processing', 'onchain_transfer', 'completed',
      'failed', 'reversed', 'timeout'
    )
  ),
  tx_hash varchar(100),
  error_message text,
  created_at timestamp without time zone not null default (now() at time zone 'UTC'),
  updated_at timestamp without time zone not null default (now() at time zone 'UTC'),
  completed_at timestamp without time zone
);

create index withdrawals_user_id_idx on withdrawals (user_id);
create index withdrawals_status_idx on withdrawals (status, created_at);
create index withdrawals_created_at_idx on withdrawals (created_at);

create type conversion_direction as enum ('usdc_to_usd', 'usd_to_usdc');
create type conversion_job_status as enum (
  'pending', 'provider_submitted', 'provider_processing', 'provider_completed', 'ledger_updating', 'completed',
  'failed', 'cancelled'
);

create table conversion_jobs (
  id uuid primary key,
  direction conversion_direction not null,
  amount numeric(20, 6) not null check (amount > 0),
  status conversion_job_status not null default 'pending',
  provider_name varchar(50),
  ledger_transaction_id uuid references ledger_transactions (id),
  source_amount numeric(20, 6),
  destination_amount numeric(20, 6),
  exchange_rate numeric(20, 8),
  fees_paid numeric(20, 6),
  submitted_at timestamp without time zone,
  completed_at timestamp without time zone,
  created_at timestamp without time zone not null default (now() at time zone 'UTC')
);

create index conversion_jobs_status_idx on conversion_jobs (status, created_at);
create index conversion_jobs_created_at_idx on conversion_jobs (created_at);
