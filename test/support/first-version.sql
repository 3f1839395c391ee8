-- The user's own first version of the three tables, as a team would have written it before recon existed.
create table users (id uuid primary key);

create table reconciliation_reports (
  id uuid primary key default gen_random_uuid(),
  run_type varchar(20) not null check (run_type in ('hourly', 'daily', 'manual')),
  status varchar(20) not null default 'pending' check (status in ('pending', 'in_progress', 'completed', 'failed')),
  started_at timestamp not null default now(),
  completed_at timestamptz,
  total_checks int default 0,
  passed_checks int default 0,
  failed_checks smallint default 0,
  exceptions_count bigint default 0,
  error_message text,
  metadata jsonb default '{}',
  created_at timestamptz default now()
);

create table reconciliation_checks (
  id uuid primary key default gen_random_uuid(),
  report_id uuid not null references reconciliation_reports (id) on delete cascade,
  check_type varchar(50) not null check (check_type in ('ledger_consistency', 'circle_balance')),
  status varchar(20) not null,
  expected_value numeric(36, 18) not null default 0,
  actual_value numeric(36, 18) not null default 0,
  difference numeric(36, 18) generated always as (actual_value - expected_value) stored,
  passed boolean not null default false,
  error_message text,
  execution_time_ms int,
  metadata json default '{}',
  created_at timestamptz default now(),
  unique (report_id, check_type)
);

create type exception_severity as enum ('low', 'medium', 'high', 'critical');

create table reconciliation_exceptions (
  id uuid primary key default gen_random_uuid(),
  report_id uuid not null references reconciliation_reports (id) on delete cascade,
  check_id uuid not null references reconciliation_checks (id) on delete cascade,
  check_type varchar(50) not null check (check_type in ('ledger_consistency', 'circle_balance')),
  severity exception_severity not null default 'low',
  description text not null,
  expected_value numeric(36, 18) not null default 0,
  actual_value numeric(36, 18) not null default 0,
  difference numeric(36, 18) not null default 0,
  currency varchar(10),
  affected_user_id uuid references users (id),
  affected_entity varchar(100),
  auto_corrected boolean default false,
  correction_action text,
  resolved_at timestamptz,
  resolved_by varchar(100),
  resolution_notes text,
  metadata jsonb default '{}',
  created_at timestamptz default now(),
  ticket text
);

create index idx_reconciliation_exceptions_severity on reconciliation_exceptions (severity);
create unique index idx_reconciliation_exceptions_entity on reconciliation_exceptions (report_id, affected_entity);

-- The host's own trigger: adoption must not fire it.
create function touch() returns trigger language plpgsql as $$
begin
  new.ticket := 'touched';
  return new;
end
$$;
create trigger touch before update on reconciliation_exceptions for each row execute function touch();

insert into users values ('00000000-0000-4000-8000-000000000001');

insert into reconciliation_reports (id, run_type, status, started_at, total_checks, metadata, created_at)
values (
  '10000000-0000-4000-8000-000000000001', 'hourly', 'completed', '2026-01-02 03:04:05.123456', 2, null,
  '2026-01-02 03:04:05.654321+00'
);

insert into reconciliation_checks (id, report_id, check_type, status, expected_value, actual_value, passed, created_at)
values (
  '20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'circle_balance', 'failed',
  123456789012345678.123456789012345678, 0.000000000000000001, false, '2026-01-02 03:04:06+00'
);

insert into reconciliation_exceptions (
  id, report_id, check_id, check_type, severity, description, expected_value, actual_value, difference, currency,
  affected_user_id, created_at, resolved_at, resolved_by
)
values
  (
    '30000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001',
    '20000000-0000-4000-8000-000000000001', 'circle_balance', 'critical', 'first', 123456789012345678.123456789012345678,
    0.000000000000000001, -1.5, 'USDC', '00000000-0000-4000-8000-000000000001', '2026-01-02 03:04:07+00', null, null
  ),
  (
    '30000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001',
    '20000000-0000-4000-8000-000000000001', 'circle_balance', 'high', 'second', 1, 2, 1, 'USDC', null,
    '2026-01-02 03:04:08+00', null, null
  ),
  (
    '30000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001',
    '20000000-0000-4000-8000-000000000001', 'circle_balance', 'high', 'third', 1, 2, 1, 'USDC', null,
    '2026-01-02 03:04:09+00', '2026-01-03 00:00:00+00', 'ada'
  );
