-- What the totals of the metrics have to say, from the rows of what happened: one row per series.
with
ended as (
  select
    'reconciliation_runs_total' as metric,
    jsonb_build_object('run_type', report.run_type, 'status', report.status) as labels
  from reconciliation_reports as report
  where report.status <> 'in_progress'
),
checked as (
  select counted.metric, jsonb_build_object('check_type', checked.check_type) as labels
  from reconciliation_checks as checked
  cross join lateral (
    values
      ('reconciliation_checks_total', true),
      ('reconciliation_check_duration_seconds_count', true),
      ('reconciliation_checks_passed_total', checked.passed),
      ('reconciliation_checks_failed_total', not checked.passed),
      ('reconciliation_checks_incomplete_total', checked.status = 'failed')
  ) as counted (metric, is_so)
  where counted.is_so
),
created as (
  -- with the severity that it had then
  select
    'reconciliation_exceptions_total',
    jsonb_build_object('check_type', exception.check_type, 'severity', finding.severity)
  from reconciliation_exceptions as exception
  inner join reconciliation_findings as finding
    on finding.exception_id = exception.id and finding.report_id = exception.report_id
),
corrected as (
  select counted.metric, counted.labels
  from reconciliation_corrections as correction
  inner join reconciliation_exceptions as exception on exception.id = correction.exception_id
  cross join lateral (
    values
      (
        'reconciliation_exceptions_auto_corrected_total',
        jsonb_build_object('check_type', exception.check_type),
        correction.state = 'applied'
      ),
      (
        'reconciliation_corrections_total',
        jsonb_build_object(
          'check_type', exception.check_type,
          'outcome', case correction.state when 'applied' then 'corrected' else correction.state end
        ),
        true
      )
  ) as counted (metric, labels, is_so)
  where counted.is_so
),
came_back as (
  select
    'reconciliation_corrections_total',
    jsonb_build_object('check_type', exception.check_type, 'outcome', 'came_back')
  from reconciliation_exceptions as exception
  inner join reconciliation_corrections as correction
    on correction.exception_id = exception.previous_exception_id and correction.state = 'applied'
),
delivered as (
  select 'reconciliation_alert_deliveries_total', jsonb_build_object('target', alert.target, 'outcome', alert.state)
  from reconciliation_alerts as alert
  where alert.state in ('delivered', 'dead')
),
told as (
  select told ->> 'check_type' as check_type, told ->> 'severity' as severity, (told ->> 'count')::numeric as count
  from reconciliation_alerts as alert
  cross join jsonb_array_elements(alert.body -> 'data' -> 'totals') as told
  where alert.target = 'webhook' and told ->> 'change' not in ('replaced', 'cleared')
  union all
  select incomplete ->> 'check_type', 'high', 1
  from reconciliation_alerts as alert
  cross join jsonb_array_elements(alert.body -> 'data' -> 'incomplete_checks') as incomplete
  where alert.target = 'webhook'
),
happened as (
  select ended.*, 1 as count from ended
  union all
  select checked.*, 1 from checked
  union all
  select created.*, 1 from created
  union all
  select corrected.*, 1 from corrected
  union all
  select came_back.*, 1 from came_back
  union all
  select delivered.*, 1 from delivered
  union all
  select
    'reconciliation_alerts_total',
    jsonb_build_object('check_type', told.check_type, 'severity', told.severity),
    told.count
  from told
)
select happened.metric || happened.labels as series, sum(happened.count)::integer as total
from happened
group by 1
order by 1
