drop trigger logged on reconciliation_correction_switch;
drop function reconciliation_log_switch();
drop table reconciliation_correction_stops;

alter table reconciliation_correction_switch drop column host;

comment on column reconciliation_correction_switch.changed_by is null;
