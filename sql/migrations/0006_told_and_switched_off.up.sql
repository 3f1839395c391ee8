-- How far each target of alerts has been told what happened, and every time at which runs were found switched off.
create table reconciliation_told (
  target text primary key,
  through bigint not null
);

-- Who has been told something, has been told all of it: nothing is told again.
insert into reconciliation_told (target, through)
select alert.target, coalesce((select max(happened.sequence) from reconciliation_exception_events as happened), 0)
from reconciliation_alerts as alert
group by alert.target;

-- What happened is found by its place in the log, whether a run or a person did it.
drop index reconciliation_exception_events_told;
create index reconciliation_exception_events_told on reconciliation_exception_events (sequence)
  where event in ('created', 'returned', 'escalated', 'reopened', 'acceptance_ended', 'snooze_ended', 'cleared');

alter table reconciliation_switched_off rename column last_at to found_at;
alter table reconciliation_switched_off drop constraint reconciliation_switched_off_pkey;
alter table reconciliation_switched_off add primary key (run_type, found_at);

comment on table reconciliation_told is 'Whom recon tells what becomes of exceptions; who is not here yet hears first what stands.';
comment on column reconciliation_told.through is 'The sequence of the last event of the log that this target has been told.';

comment on table reconciliation_switched_off is
  'When scheduled runs found RECONCILIATION_ENABLED=false: what was due until then was not missed.';
