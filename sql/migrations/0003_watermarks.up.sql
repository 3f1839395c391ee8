-- How far each check is verified, and what the next hourly run needs to look at no more than what changed.
create table reconciliation_watermarks (
  check_type text primary key,
  verified_through timestamptz not null,
  as_of timestamptz not null,
  run_at timestamptz not null,
  proven_as_of timestamptz not null,
  source text not null,
  report_id uuid not null references reconciliation_reports (id) on delete restrict,
  proven_report_id uuid not null references reconciliation_reports (id) on delete restrict
);

create index reconciliation_watermarks_of_report on reconciliation_watermarks (report_id);
create index reconciliation_watermarks_of_proven_report on reconciliation_watermarks (proven_report_id);

create table reconciliation_waiting (
  check_type text not null references reconciliation_watermarks (check_type) on delete cascade,
  subject_id uuid not null,
  primary key (check_type, subject_id)
);

create table reconciliation_checkpoints (
  account_id uuid primary key,
  balance numeric not null
);

comment on table reconciliation_watermarks is 'How far each check is verified. Delete a row, and the next run looks at everything.';
comment on column reconciliation_watermarks.verified_through is
  'Whatever came before this moment was looked at by a complete check; the next hourly run begins here.';
comment on column reconciliation_watermarks.as_of is 'The moment of that check’s cut, by the clock of the source’s database.';
comment on column reconciliation_watermarks.run_at is 'The same moment by the clock of the machine that ran it.';
comment on column reconciliation_watermarks.proven_as_of is 'The moment of the last complete cut in which everything was looked at.';
comment on column reconciliation_watermarks.source is 'The hash of the mapping that it was seen through, and of the rules that it was judged by.';

comment on table reconciliation_waiting is
  'Records and transactions that were not final when a check looked at them last: the next hourly run looks again.';

comment on table reconciliation_checkpoints is
  'What an account held before the watermark of ledger_consistency, as its entries explained it. An account that disagrees is added up anew.';
