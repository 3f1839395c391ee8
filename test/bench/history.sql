-- The books of recon after years of runs, one an hour, made up: bench.until is when the next run would begin, bench.days
-- how long ago the first one did. Every third run finds something new, which is there for three days; one of 500 such
-- exceptions is there to this day.
create temporary table run as
select
  place,
  md5('report ' || place)::uuid as id,
  current_setting('bench.until')::timestamptz - (hours.count - place) * interval '1 hour' as started_at,
  case place % 24 when 2 then 'daily' else 'hourly' end as run_type
from (select current_setting('bench.days')::integer * 24 as count) as hours
cross join generate_series(0, hours.count - 1) as place;

create unique index on run (place);

create temporary table life as
select
  created.place / 3 as number,
  md5('exception ' || created.place)::uuid as id,
  created.id as report_id,
  md5('check deposits ' || created.place)::uuid as check_id,
  md5('deposit ' || created.place)::uuid as subject_id,
  created.place as first_place,
  case when created.place / 3 % 500 = 0 then last.place else least(created.place + 71, last.place) end as last_place,
  created.started_at as created_at,
  -- seen last by the run an hour ago, it is still there
  created.place / 3 % 500 <> 0 and created.place + 71 < last.place as is_over
from run as created
cross join (select max(place) as place from run) as last
where created.place % 3 = 0;

insert into reconciliation_reports (
  id, run_type, status, started_at, completed_at, total_checks, passed_checks, failed_checks, exceptions_count,
  metadata, created_at
)
select
  run.id, run.run_type, 'completed', run.started_at, run.started_at + interval '4 seconds', 6, 5, 1, 0,
  jsonb_build_object('environment', 'production', 'source', 'stack_service', 'verdict', 'failed', 'incomplete_checks', 0),
  run.started_at
from run;

insert into reconciliation_checks (
  id, report_id, check_type, status, expected_value, actual_value, difference, passed, execution_time_ms, metadata,
  created_at
)
select
  md5('check ' || checked.name || ' ' || run.place)::uuid, run.id, checked.name, 'completed', 1980787.94, 1980787.94, 0,
  checked.name <> 'deposits', 412,
  jsonb_build_object(
    'compared', 12, 'findings', case checked.name when 'deposits' then 25 else 0 end,
    'coverage', case run.run_type when 'daily' then 'everything' else 'changes' end,
    'verified_through', run.started_at - interval '15 minutes',
    'verified_since', run.started_at - interval '75 minutes',
    'currencies', jsonb_build_array(
      jsonb_build_object('currency', 'USD', 'expected', '1980787.94', 'actual', '1980787.94', 'difference', '0'),
      jsonb_build_object('currency', 'USDC', 'expected', '7975192.95', 'actual', '7975192.95', 'difference', '0')
    ),
    'expected', jsonb_build_object('count', 12, 'sum', '1200.5'), 'in_flight', jsonb_build_object('count', 3, 'sum', '77')
  ),
  run.started_at
from run
cross join unnest(array[
  'ledger_consistency', 'circle_balance', 'alpaca_balance', 'deposits', 'conversion_jobs', 'withdrawals'
]) as checked (name);

insert into reconciliation_exceptions (
  id, report_id, check_id, check_type, kind, fingerprint, severity, description, expected_value, actual_value,
  difference, currency, affected_entity, resolved_at, resolved_by, resolution_notes, metadata, created_at,
  last_report_id, last_seen_at, occurrences
)
select
  life.id, life.report_id, life.check_id, 'deposits', 'missing_in_ledger',
  'deposits/missing_in_ledger/deposit:' || life.subject_id, 'high',
  'Deposit ' || life.subject_id || ' of 500 USDC settled and was never posted.', 500, 0, -500, 'USDC',
  'deposit:' || life.subject_id,
  case when life.is_over then seen_last.started_at + interval '1 hour' end,
  case when life.is_over then 'system' end,
  case when life.is_over then 'cleared in report ' || cleared.id end,
  jsonb_build_object('status', 'completed'), life.created_at, seen_last.id, seen_last.started_at,
  life.last_place - life.first_place + 1
from life
inner join run as seen_last on seen_last.place = life.last_place
left join run as cleared on cleared.place = life.last_place + 1;

insert into reconciliation_findings (
  report_id, check_id, exception_id, expected_value, actual_value, difference, currency, severity, metadata
)
select
  run.id, md5('check deposits ' || run.place)::uuid, life.id, 500, 0, -500, 'USDC', 'high',
  jsonb_build_object('status', 'completed')
from life
inner join run on run.place between life.first_place and life.last_place
order by run.place, life.number;

update reconciliation_reports as report
set exceptions_count = counted.findings
from (
  select finding.report_id, count(*) as findings
  from reconciliation_findings as finding
  group by finding.report_id
) as counted
where counted.report_id = report.id;

insert into reconciliation_exception_events (exception_id, event, actor, details, created_at)
select life.id, 'created', 'system', jsonb_build_object('report_id', life.report_id), life.created_at
from life
order by life.number;

insert into reconciliation_exception_events (exception_id, event, actor, note, details, created_at)
select
  life.id, 'cleared', 'system', 'cleared in report ' || run.id, jsonb_build_object('report_id', run.id), run.started_at
from life
inner join run on run.place = life.last_place + 1
where life.is_over
order by life.number;

insert into reconciliation_alerts (
  report_id, target, summary, body, state, attempts, created_at, attempted_at, delivered_at
)
select
  life.report_id, 'slack', '1 new exception', jsonb_build_object('text', repeat('1 new exception. ', 40)), 'delivered', 1,
  life.created_at, life.created_at, life.created_at
from life
order by life.number;

insert into reconciliation_totals (metric, labels, total)
select 'reconciliation_runs_total', jsonb_build_object('run_type', run.run_type, 'status', 'completed'), count(*)
from run
group by run.run_type;

drop table run, life;

analyze;
