-- What every run found, and who did what to an exception.
create table reconciliation_findings (
  report_id uuid not null references reconciliation_reports (id) on delete restrict,
  check_id uuid not null references reconciliation_checks (id) on delete restrict,
  exception_id uuid not null references reconciliation_exceptions (id) on delete restrict,
  expected_value numeric,
  actual_value numeric,
  difference numeric,
  currency text,
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  metadata jsonb not null default '{}',
  primary key (report_id, exception_id)
);

create index reconciliation_findings_of_check on reconciliation_findings (check_id);
create index reconciliation_findings_of_exception on reconciliation_findings (exception_id);

create table reconciliation_exception_events (
  id uuid primary key default gen_random_uuid(),
  exception_id uuid not null references reconciliation_exceptions (id) on delete restrict,
  event text not null,
  actor text not null,
  note text,
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create index reconciliation_exception_events_of_exception on reconciliation_exception_events (exception_id, created_at);

create function reconciliation_refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'restrict_violation',
    message = format('%I is append-only: %s refused', tg_table_name, lower(tg_op)),
    hint = 'Add another event that says what was wrong with this one.';
end
$$;

create trigger append_only
  before update or delete or truncate on reconciliation_exception_events
  for each statement execute function reconciliation_refuse_change();

comment on table reconciliation_findings is 'Each exception as one run saw it.';
comment on column reconciliation_findings.expected_value is 'As seen then; null where there is no such value, never 0.';
comment on column reconciliation_findings.actual_value is 'As seen then; null where there is no such value, never 0.';
comment on column reconciliation_findings.difference is 'actual_value - expected_value.';
comment on column reconciliation_findings.severity is 'As judged then.';

comment on table reconciliation_exception_events is 'Who did what to an exception, when and why. Append-only.';
comment on column reconciliation_exception_events.event is 'created, escalated, cleared, resolved, reopened, became, …';
comment on column reconciliation_exception_events.actor is 'A person, or system.';
comment on column reconciliation_exception_events.note is 'What that person wrote.';

comment on function reconciliation_refuse_change() is 'Keeps a table append-only.';
