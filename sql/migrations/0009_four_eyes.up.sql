-- What a proposal says stands: who made it, when, why, and which rows it would write. Only its end can be written, once,
-- by somebody else. Whoever has the rights of recon_writer and no program of ours between is held to it too.
create function reconciliation_signature(name text) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- in another encoding not even planned: PostgreSQL 18 works out what it can of both arms of a `case`
  if getdatabaseencoding() = 'UTF8' then
    return normalize(
      lower(btrim(regexp_replace(
        regexp_replace(
          normalize(name, nfkc),
          -- nobody sees these (Unicode, Default_Ignorable_Code_Point)
          '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]',
          '',
          'g'
        ),
        '[\x01-\x20\x7f-\xa0\u1680\u2028\u2029]+',
        ' ',
        'g'
      ))),
      nfkc
    );
  end if;
  return lower(btrim(regexp_replace(name, '\s+', ' ', 'g')));
end
$$;

create function reconciliation_refuse() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'restrict_violation', message = tg_argv[0];
end
$$;

alter table reconciliation_corrections add column rows_proposed jsonb;

-- What had not been applied was only ever proposed; what was, is what had been proposed.
alter table reconciliation_corrections disable trigger ended_for_good;
update reconciliation_corrections
set rows_proposed = rows_written, rows_written = case state when 'applied' then rows_written else '[]' end
where report_id is null and undoes is null;
alter table reconciliation_corrections enable trigger ended_for_good;

-- Not valid: what ended before stays on record as it was.
alter table reconciliation_corrections
  drop constraint reconciliation_corrections_four_eyes,
  drop constraint reconciliation_corrections_people_decide,
  add constraint reconciliation_corrections_four_eyes check (
    state <> 'applied'
    or decided_by is null
    or reconciliation_signature(decided_by) <> reconciliation_signature(proposed_by)
  ) not valid,
  add constraint reconciliation_corrections_people_decide check (
    reconciliation_signature(decided_by) <> 'system'
  ) not valid,
  -- nobody else looks like a run, and a run is named
  add constraint reconciliation_corrections_author check (
    (report_id is null) = (reconciliation_signature(proposed_by) <> 'system')
    and (report_id is null or decided_by is null and undoes is null)
  ) not valid,
  add constraint reconciliation_corrections_proposal check (
    (rows_proposed is not null) = (report_id is null and undoes is null)
  ) not valid,
  -- a proposal ends on the word of somebody
  add constraint reconciliation_corrections_decided check (
    rows_proposed is null or (state <> 'proposed') = (decided_by is not null)
  ) not valid,
  add constraint reconciliation_corrections_written check (
    (state = 'applied') = (rows_written <> '[]')
  ) not valid;

create trigger begins_undecided
  before insert on reconciliation_corrections
  for each row when (new.decided_by is not null)
  execute function reconciliation_refuse('Whoever decides on a proposal does so after it was written.');

create trigger proposal_stands
  before update on reconciliation_corrections
  for each row when (
    new.state = 'proposed'
    or to_jsonb(old) - '{state,reason,decided_by,decision_note,rows_written,ended_at}'::text[]
    <> to_jsonb(new) - '{state,reason,decided_by,decision_note,rows_written,ended_at}'::text[]
  )
  execute function reconciliation_refuse('What a proposal says stands: reject it, and propose another.');

comment on function reconciliation_signature(text) is
  'A name as it is compared: without case (as far as the locale of the database knows it), width, forms, spaces and what nobody can see.';
comment on function reconciliation_refuse() is 'Refuses a change with the words of the trigger.';
comment on column reconciliation_corrections.rows_proposed is
  'The rows of the host as a person proposed them; null: a run did it, or it undoes another. Never changed.';
comment on column reconciliation_corrections.rows_written is
  'The rows of the host that were written: table, id, before (null: a new row) and after. Empty unless applied.';
comment on column reconciliation_exception_events.event is
  'created, returned, escalated, eased, became, inherited, acceptance_ended, snooze_ended, cleared by system; acknowledged, assigned, commented, snoozed, accepted, resolved, reopened by people; corrected, correction_refused, correction_failed, correction_proposed, correction_rejected, correction_undone, correction_undo_refused, correction_undo_failed by either.';
