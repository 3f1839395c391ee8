-- What the metrics count, what is to be told to whom, and what PagerDuty was told and has not been told to be over.
create table reconciliation_totals (
  metric text not null,
  labels jsonb not null,
  total numeric not null check (total >= 0),
  primary key (metric, labels)
);

create function reconciliation_refuse_decrease() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'restrict_violation',
    message = format('%I only grows: %s from %s to %s refused', tg_table_name, new.metric, old.total, new.total),
    hint = 'Prometheus would take it for a restart and count everything again.';
end
$$;

create trigger only_grows
  before update on reconciliation_totals
  for each row when (new.total < old.total or new.metric <> old.metric or new.labels <> old.labels)
  execute function reconciliation_refuse_decrease();

create trigger append_only
  before delete or truncate on reconciliation_totals
  for each statement execute function reconciliation_refuse_change();

create table reconciliation_alerts (
  id uuid primary key default gen_random_uuid(),
  number bigint generated always as identity unique,
  report_id uuid references reconciliation_reports (id) on delete set null,
  target text not null,
  summary text not null,
  body jsonb not null,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null,
  attempted_at timestamptz,
  delivered_at timestamptz
);

create index reconciliation_alerts_undelivered on reconciliation_alerts (target, number) where state <> 'delivered';
create index reconciliation_alerts_of_report on reconciliation_alerts (report_id);

create table reconciliation_incidents (
  key text primary key,
  exception_id uuid references reconciliation_exceptions (id) on delete cascade,
  check_type text,
  acknowledged boolean not null default false,
  opened_at timestamptz not null
);

create index reconciliation_incidents_of_exception on reconciliation_incidents (exception_id);

-- What a run has to tell besides the exceptions that it made, which are found by their report.
create index reconciliation_exception_events_told on reconciliation_exception_events ((details ->> 'report_id'))
  where event in ('escalated', 'cleared', 'acceptance_ended');

create table reconciliation_switched_off (
  run_type text primary key,
  last_at timestamptz not null
);

comment on table reconciliation_totals is
  'What the counters and histograms of the metrics stand at. They only grow, also when old runs are purged.';

comment on table reconciliation_alerts is
  'The outbox: written in the transaction that ends a run, delivered after it, again and again until it is delivered or dead.';
comment on column reconciliation_alerts.id is 'The same at every attempt: a receiver knows by it what it has seen already.';
comment on column reconciliation_alerts.number is 'The order in which a target is told.';
comment on column reconciliation_alerts.body is 'As it is sent, without the keys of the target.';
comment on column reconciliation_alerts.state is 'dead: given up after RECONCILIATION_ALERT_MAX_AGE; recon alerts retry sends it all the same.';

comment on table reconciliation_incidents is 'What PagerDuty was told and has not been told to be over.';
comment on column reconciliation_incidents.key is 'PagerDuty’s dedup_key.';
comment on column reconciliation_incidents.exception_id is 'Over when this exception is resolved.';
comment on column reconciliation_incidents.check_type is
  'Too many exceptions of this check for an incident each: over when none of them is open.';

comment on table reconciliation_switched_off is
  'When a scheduled run last found RECONCILIATION_ENABLED=false: what was due until then was not missed.';

comment on function reconciliation_refuse_decrease() is 'Keeps a total from falling.';
