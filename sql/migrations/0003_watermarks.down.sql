drop table reconciliation_checkpoints;
drop table reconciliation_waiting;
drop table reconciliation_watermarks;
