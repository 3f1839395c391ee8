-- What people do with an exception while it is unresolved, and from where they did it.
alter table reconciliation_exceptions
  add column acknowledged_at timestamptz,
  add column acknowledged_by text,
  add column assignee text,
  add column snoozed_until timestamptz,
  add column accepted_until timestamptz;

create index reconciliation_exceptions_accepted on reconciliation_exceptions (accepted_until)
  where resolved_at is null and accepted_until is not null;
create index reconciliation_exceptions_of_user on reconciliation_exceptions (affected_user_id)
  where affected_user_id is not null;

alter table reconciliation_exception_events
  add column host text,
  add column sequence bigint generated always as identity;

-- Two actions may carry the same time: the order is that in which they were written.
drop index reconciliation_exception_events_of_exception;
create index reconciliation_exception_events_of_exception on reconciliation_exception_events (exception_id, sequence);
-- What was reopened while a run was under way.
create index reconciliation_exception_events_reopened on reconciliation_exception_events (created_at)
  where event = 'reopened';

comment on column reconciliation_exceptions.acknowledged_at is 'When somebody said last that they look into it.';
comment on column reconciliation_exceptions.assignee is 'Whose it is.';
comment on column reconciliation_exceptions.snoozed_until is 'Not listed as open before then, unless its severity rises. It counts for the verdict.';
comment on column reconciliation_exceptions.accepted_until is
  'Known and agreed until then, at the amounts of this row: until they change it does not count for the verdict.';

comment on column reconciliation_exception_events.event is
  'created, returned, escalated, eased, became, inherited, acceptance_ended, snooze_ended, cleared by system; acknowledged, assigned, commented, snoozed, accepted, resolved, reopened by people.';
comment on column reconciliation_exception_events.host is 'The machine on which that person worked; null for system.';
comment on column reconciliation_exception_events.sequence is 'The order in which events were written.';
