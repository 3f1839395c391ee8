-- By what a run knows that the database went back since its check was verified: a backup was restored, or a replica that
-- lacks the last transactions took over. Null: verified before this migration.
alter table reconciliation_watermarks
  add column history text,
  add column transactions numeric;

comment on column reconciliation_watermarks.history is
  'Of the source’s database: its oid and the timeline of its server, as PostgreSQL counts them. A restored database has others.';
comment on column reconciliation_watermarks.transactions is
  'How many transactions the server of the source had begun. Fewer than before: it was put back to an earlier moment.';
