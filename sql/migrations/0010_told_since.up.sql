-- Since when each target has been told what happens: it hears that something is over only if it may have heard of it.
alter table reconciliation_told add column since bigint not null default 0;

-- That one became another was not told before, and is not told now where it is over: whatever lies between the last
-- event that a target was told and the next that it would have been told then.
update reconciliation_told as told
set through = coalesce(
  (
    select min(event.sequence) - 1
    from reconciliation_exception_events as event
    where
      event.sequence > told.through
      and event.event in ('created', 'returned', 'escalated', 'reopened', 'acceptance_ended', 'snooze_ended', 'cleared')
  ),
  (select max(event.sequence) from reconciliation_exception_events as event),
  told.through
);

-- All events, because what else is told changes with the program.
drop index reconciliation_exception_events_told;
create index reconciliation_exception_events_in_order on reconciliation_exception_events (sequence);

comment on column reconciliation_told.since is
  'The sequence of the last event of the log when this target was told something for the first time; 0: nobody knows.';
comment on column reconciliation_told.through is 'The sequence of the last event of the log when this target was told last.';
