drop index reconciliation_exception_events_in_order;
create index reconciliation_exception_events_told on reconciliation_exception_events (sequence)
  where event in ('created', 'returned', 'escalated', 'reopened', 'acceptance_ended', 'snooze_ended', 'cleared');

alter table reconciliation_told drop column since;

comment on column reconciliation_told.through is 'The sequence of the last event of the log that this target has been told.';
