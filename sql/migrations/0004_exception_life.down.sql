drop index reconciliation_exception_events_reopened;
drop index reconciliation_exception_events_of_exception;

alter table reconciliation_exception_events
  drop column host,
  drop column sequence;

create index reconciliation_exception_events_of_exception on reconciliation_exception_events (exception_id, created_at);

drop index
  reconciliation_exceptions_accepted,
  reconciliation_exceptions_of_user;

alter table reconciliation_exceptions
  drop column acknowledged_at,
  drop column acknowledged_by,
  drop column assignee,
  drop column snoozed_until,
  drop column accepted_until;
