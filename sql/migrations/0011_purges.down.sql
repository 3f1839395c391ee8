drop table reconciliation_purges;

comment on column reconciliation_alerts.body is 'As it is sent, without the keys of the target.';
