-- What `recon purge` removed: a row for each of its transactions, written in it, so that one that was killed tells too.
create table reconciliation_purges (
  number bigint generated always as identity primary key,
  purged_at timestamptz not null,
  purged_by text not null,
  host text,
  note text,
  purged_before timestamptz not null,
  day date,
  runs jsonb not null,
  checks integer not null,
  sightings integer not null,
  alert_bodies integer not null
);

create trigger append_only
  before update or delete or truncate on reconciliation_purges
  for each statement execute function reconciliation_refuse_change();

comment on table reconciliation_purges is 'What `recon purge` removed, a row for each of its transactions. Append-only.';
comment on column reconciliation_purges.purged_at is 'When that purge began: the same in all of its rows.';
comment on column reconciliation_purges.purged_by is 'A person, or what started it.';
comment on column reconciliation_purges.host is 'From which machine.';
comment on column reconciliation_purges.purged_before is 'What is from then on stayed.';
comment on column reconciliation_purges.day is 'On which day (UTC) the runs began; null: of alerts.';
comment on column reconciliation_purges.runs is
  'How many whole runs, by type and outcome: {"hourly": {"failed": 3, "passed": 12}}.';
comment on column reconciliation_purges.checks is 'Of those runs.';
comment on column reconciliation_purges.sightings is
  'What runs saw of exceptions between the first and the last of them, in runs that went and in runs that stayed.';
comment on column reconciliation_purges.alert_bodies is
  'How many delivered alerts lost their text; to whom, when and a summary stay.';

comment on column reconciliation_alerts.body is 'As it is sent, without the keys of the target; {}: purged.';
