alter table reconciliation_watermarks
  drop column history,
  drop column transactions;
