delete from reconciliation_switched_off as earlier
using reconciliation_switched_off as later
where later.run_type = earlier.run_type and later.found_at > earlier.found_at;

alter table reconciliation_switched_off drop constraint reconciliation_switched_off_pkey;
alter table reconciliation_switched_off add primary key (run_type);
alter table reconciliation_switched_off rename column found_at to last_at;

drop index reconciliation_exception_events_told;
create index reconciliation_exception_events_told on reconciliation_exception_events ((details ->> 'report_id'))
  where event in ('escalated', 'cleared', 'acceptance_ended');

drop table reconciliation_told;
