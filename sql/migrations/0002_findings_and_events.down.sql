drop table reconciliation_exception_events;
drop table reconciliation_findings;
drop function reconciliation_refuse_change();
