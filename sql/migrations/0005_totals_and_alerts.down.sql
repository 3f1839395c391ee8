drop table reconciliation_switched_off;
drop index reconciliation_exception_events_told;
drop table reconciliation_incidents;
drop table reconciliation_alerts;
drop table reconciliation_totals;
drop function reconciliation_refuse_decrease();
