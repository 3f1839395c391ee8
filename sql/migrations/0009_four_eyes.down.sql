drop trigger proposal_stands on reconciliation_corrections;
drop trigger begins_undecided on reconciliation_corrections;

alter table reconciliation_corrections
  drop constraint reconciliation_corrections_four_eyes,
  drop constraint reconciliation_corrections_people_decide,
  drop constraint reconciliation_corrections_author,
  drop constraint reconciliation_corrections_proposal,
  drop constraint reconciliation_corrections_decided,
  drop constraint reconciliation_corrections_written,
  add constraint reconciliation_corrections_four_eyes check (
    state <> 'applied' or decided_by is null or lower(btrim(decided_by)) <> lower(btrim(proposed_by))
  ),
  add constraint reconciliation_corrections_people_decide check (lower(btrim(decided_by)) <> 'system');

alter table reconciliation_corrections disable trigger ended_for_good;
update reconciliation_corrections
set rows_written = rows_proposed
where rows_proposed is not null and state <> 'applied';
alter table reconciliation_corrections enable trigger ended_for_good;

alter table reconciliation_corrections drop column rows_proposed;

drop function reconciliation_refuse();
drop function reconciliation_signature(text);

comment on column reconciliation_corrections.rows_written is
  'The rows of the host: table, id, before (null: a new row) and after. Of a proposal: as they would be written then.';
comment on column reconciliation_exception_events.event is
  'created, returned, escalated, eased, became, inherited, acceptance_ended, snooze_ended, cleared by system; acknowledged, assigned, commented, snoozed, accepted, resolved, reopened by people; corrected, correction_refused, correction_failed, correction_proposed, correction_rejected, correction_undone by either.';
