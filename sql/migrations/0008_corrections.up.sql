-- What recon wrote into the host's tables, and what it was asked to: one row for each attempt of a run, and for each
-- proposal of a person.
create table reconciliation_corrections (
  id uuid primary key default gen_random_uuid(),
  exception_id uuid not null references reconciliation_exceptions (id) on delete restrict,
  report_id uuid references reconciliation_reports (id) on delete restrict,
  correction text not null,
  state text not null check (state in ('proposed', 'rejected', 'applied', 'refused', 'failed')),
  action text not null,
  amount numeric not null check (amount >= 0 and amount < 'Infinity'),
  currency text,
  rows_written jsonb not null default '[]',
  reason text,
  proposed_by text not null,
  proposal_note text,
  decided_by text,
  decision_note text,
  undoes uuid references reconciliation_corrections (id) on delete restrict,
  created_at timestamptz not null,
  ended_at timestamptz,
  constraint reconciliation_corrections_ended check ((state = 'proposed') = (ended_at is null)),
  -- whoever proposes may take it back, but never approve
  constraint reconciliation_corrections_four_eyes check (
    state <> 'applied' or decided_by is null or lower(btrim(decided_by)) <> lower(btrim(proposed_by))
  ),
  -- a run corrects by itself only what these two say; everything else takes a second person
  constraint reconciliation_corrections_two_people check (
    state <> 'applied'
    or decided_by is not null
    or undoes is not null
    or proposed_by = 'system' and correction in ('set_balance', 'link_job')
  ),
  constraint reconciliation_corrections_people_decide check (lower(btrim(decided_by)) <> 'system')
);

create unique index reconciliation_corrections_one_proposal on reconciliation_corrections (exception_id)
  where state = 'proposed';
-- An exception is corrected once, and a correction undone once, whatever happens.
create unique index reconciliation_corrections_one_applied on reconciliation_corrections (exception_id)
  where state = 'applied' and undoes is null;
create unique index reconciliation_corrections_one_undoing on reconciliation_corrections (undoes)
  where state = 'applied';
create index reconciliation_corrections_of_exception on reconciliation_corrections (exception_id);
create index reconciliation_corrections_of_report on reconciliation_corrections (report_id);
create index reconciliation_corrections_newest on reconciliation_corrections (created_at desc);
create index reconciliation_corrections_ended_at on reconciliation_corrections (ended_at) where state = 'applied';

create trigger ended_for_good
  before update on reconciliation_corrections
  for each row when (old.state <> 'proposed')
  execute function reconciliation_refuse_change();

create trigger append_only
  before delete or truncate on reconciliation_corrections
  for each statement execute function reconciliation_refuse_change();

-- The kill switch: stronger than the environment, and asked in the transaction of each correction.
create table reconciliation_correction_switch (
  only_row boolean primary key default true check (only_row),
  stopped boolean not null default false,
  changed_by text,
  note text,
  changed_at timestamptz
);

insert into reconciliation_correction_switch default values;

comment on table reconciliation_corrections is
  'What recon wrote into the host''s tables, or was asked to: attempts of runs, and proposals of people. What has ended stays as it is.';
comment on column reconciliation_corrections.report_id is 'The run that tried it; null: people did.';
comment on column reconciliation_corrections.correction is 'set_balance, link_job, post_record, adjust_amount.';
comment on column reconciliation_corrections.state is
  'applied: written. refused: a rule of recon said no. failed: the host or its database said no, or it did not help; nothing was written.';
comment on column reconciliation_corrections.action is 'What it does, in one sentence.';
comment on column reconciliation_corrections.amount is 'What it moves, without a sign; 0 where it moves no money.';
comment on column reconciliation_corrections.rows_written is
  'The rows of the host: table, id, before (null: a new row) and after. Of a proposal: as they would be written then.';
comment on column reconciliation_corrections.reason is 'Why it was refused, or failed.';
comment on column reconciliation_corrections.proposed_by is 'A person, or system.';
comment on column reconciliation_corrections.decided_by is 'Who approved or rejected it; null: nobody had to, or has yet.';
comment on column reconciliation_corrections.undoes is 'The correction that this one takes back.';

comment on table reconciliation_correction_switch is 'One row: stopped, or gone, and recon writes no correction.';

comment on column reconciliation_exceptions.auto_corrected is 'A run corrected it by itself.';
comment on column reconciliation_exceptions.correction_action is 'What was written into the host''s tables for it.';
comment on column reconciliation_exception_events.event is
  'created, returned, escalated, eased, became, inherited, acceptance_ended, snooze_ended, cleared by system; acknowledged, assigned, commented, snoozed, accepted, resolved, reopened by people; corrected, correction_refused, correction_failed, correction_proposed, correction_rejected, correction_undone by either.';
