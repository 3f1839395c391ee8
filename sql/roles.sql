-- The rights that recon needs, and no others. For a database administrator, in psql, as the owner of the tables; it may
-- be run again. Before it: set search_path to recon's schema and the host's, if they are not "public":
--
--   psql -v ON_ERROR_STOP=1 -c 'set search_path = recon, public' -f sql/roles.sql
--
-- After it, one login for each use:
--
--   create role recon login password '…' in role recon_reader, recon_writer;  -- DATABASE_URL of the runs
--   create role recon_auditor login password '…' in role recon_reader;        -- who only looks, on call too
--   create role recon_hand login password '…'                                 -- CORRECTION_DATABASE_URL
--     in role recon_reader, recon_writer, recon_corrector;
--   create role recon_cleaner login password '…' in role recon_writer, recon_purger; -- recon purge
--   grant pg_read_all_stats to recon;  -- sees the open transactions of others: hourly runs verify through 15 minutes
--                                      -- ago, without it through an hour ago

do $$
declare
  role_name text;
begin
  foreach role_name in array array['recon_reader', 'recon_writer', 'recon_purger', 'recon_corrector'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
    execute format('grant connect on database %I to %I', current_database(), role_name);
    execute (
      select string_agg(format('grant usage on schema %I to %I', schema_name, role_name), '; ')
      from unnest(current_schemas(false)) as schema_name
      where schema_name <> 'pg_catalog'
    );
  end loop;
end
$$;

-- Reads, and writes nothing: `recon run --dry-run`, `doctor`, and every command that only shows. Of the host's tables it
-- reads only the columns of sql/source/stack_service: no name, no address, no e-mail. Where SOURCE_DATABASE_URL names a
-- database without recon's tables, run the file there without ON_ERROR_STOP: what is not there is not granted.
grant select (id, alpaca_account_id) on users to recon_reader;
grant select (user_id, circle_wallet_id) on wallets to recon_reader;
grant select (id, user_id, account_type, currency, balance) on ledger_accounts to recon_reader;
grant select (
  id, user_id, transaction_type, reference_id, reference_type, status, idempotency_key, created_at, completed_at
) on ledger_transactions to recon_reader;
grant select (id, transaction_id, account_id, entry_type, amount, currency, created_at) on ledger_entries to recon_reader;
grant select (
  id, user_id, token, amount, status, confirmed_at, off_ramp_completed_at, alpaca_funded_at, created_at
) on deposits to recon_reader;
grant select (id, user_id, amount, status, created_at, updated_at, completed_at) on withdrawals to recon_reader;
grant select (
  id, direction, amount, status, ledger_transaction_id, source_amount, destination_amount, exchange_rate, fees_paid,
  completed_at, created_at
) on conversion_jobs to recon_reader;
grant select on reconciliation_migrations, reconciliation_reports, reconciliation_checks, reconciliation_exceptions,
  reconciliation_findings, reconciliation_exception_events, reconciliation_watermarks, reconciliation_waiting,
  reconciliation_checkpoints, reconciliation_totals, reconciliation_alerts, reconciliation_incidents,
  reconciliation_switched_off, reconciliation_told, reconciliation_corrections, reconciliation_correction_switch,
  reconciliation_correction_stops, reconciliation_purges
  to recon_reader;

-- Writes the tables of recon. It deletes nothing of a run, and to what people did it can only add.
grant select on reconciliation_migrations to recon_writer;
grant select, insert, update on reconciliation_reports to recon_writer;
grant select, insert on reconciliation_checks to recon_writer;
grant select, insert, update on reconciliation_exceptions to recon_writer;
grant select, insert on reconciliation_findings to recon_writer;
grant select, insert on reconciliation_exception_events to recon_writer;
grant select, insert, update on reconciliation_watermarks to recon_writer;
grant select, insert, delete on reconciliation_waiting to recon_writer;
grant select, insert, update, delete on reconciliation_checkpoints to recon_writer;
grant select, insert, update on reconciliation_totals to recon_writer;
grant select, insert, update on reconciliation_alerts to recon_writer;
grant select, insert, update, delete on reconciliation_incidents to recon_writer;
grant select, insert on reconciliation_switched_off to recon_writer;
grant select, insert, update on reconciliation_told to recon_writer;
grant select on reconciliation_purges to recon_writer;
grant select, insert, update on reconciliation_corrections to recon_writer;
grant select on reconciliation_correction_stops to recon_writer;
grant select, update on reconciliation_correction_switch to recon_writer;
grant execute on function reconciliation_signature(text) to recon_writer;

-- Purges old runs, besides: `recon purge`. Nobody deletes exceptions, what people did, totals, or what was purged.
grant delete on reconciliation_reports to recon_purger;
grant delete on reconciliation_checks to recon_purger;
grant delete on reconciliation_findings to recon_purger;
grant insert on reconciliation_purges to recon_purger;
revoke delete on reconciliation_alerts from recon_purger; -- which it had once

-- Corrects the host's tables: only the columns that a correction sets, and nothing is ever deleted.
grant update (balance) on ledger_accounts to recon_corrector;
grant update (ledger_transaction_id) on conversion_jobs to recon_corrector;
grant update (status) on ledger_transactions to recon_corrector; -- to undo a posting
grant insert (
  id, user_id, transaction_type, reference_id, reference_type, status, idempotency_key, description, created_at,
  completed_at
) on ledger_transactions to recon_corrector;
grant insert (
  id, transaction_id, account_id, entry_type, amount, currency, created_at
) on ledger_entries to recon_corrector;
-- Nothing sets these: PostgreSQL locks rows only for who may update a column of them.
grant update (id) on deposits to recon_corrector;
grant update (id) on withdrawals to recon_corrector;
