-- Drops the tables that the migration made. A table that it adopted stays with all its rows, also those that recon
-- wrote, and loses recon's columns, constraints and indexes. Not restored: the narrower types, defaults and not null of
-- its columns, and the constraints listed in reconciliation_migrations.details.
drop index
  reconciliation_reports_newest,
  reconciliation_checks_of_report,
  reconciliation_checks_newest,
  reconciliation_exceptions_one_unresolved,
  reconciliation_exceptions_unresolved,
  reconciliation_exceptions_newest,
  reconciliation_exceptions_history,
  reconciliation_exceptions_of_report,
  reconciliation_exceptions_of_last_report,
  reconciliation_exceptions_of_check,
  reconciliation_exceptions_of_previous;

alter table reconciliation_exceptions
  drop constraint reconciliation_exceptions_severity_check,
  drop constraint reconciliation_exceptions_occurrences_check,
  drop constraint reconciliation_exceptions_report_id_fkey,
  drop constraint reconciliation_exceptions_last_report_id_fkey,
  drop constraint reconciliation_exceptions_check_id_fkey,
  drop constraint reconciliation_exceptions_previous_exception_id_fkey,
  drop column kind,
  drop column fingerprint,
  drop column last_report_id,
  drop column last_seen_at,
  drop column occurrences,
  drop column previous_exception_id;

alter table reconciliation_checks
  drop constraint reconciliation_checks_report_id_fkey;

alter table reconciliation_reports
  drop constraint reconciliation_reports_run_type_check,
  drop constraint reconciliation_reports_status_check;

do $$
declare
  made text;
begin
  for made in
    select t.name
    from unnest(array['reconciliation_exceptions', 'reconciliation_checks', 'reconciliation_reports']) as t (name)
    join reconciliation_migrations m on m.version = 1
    where not m.details -> 'adopted' ? t.name
  loop
    execute format('drop table %I', made);
  end loop;
end
$$;
