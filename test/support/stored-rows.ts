import type postgres from 'postgres';

/** How many rows the tables hold that a run writes. */
export async function storedRows(sql: postgres.Sql) {
  const [row] = await sql<Record<'reports' | 'checks' | 'exceptions' | 'findings' | 'events' | 'alerts', number>[]>`
    select
      (select count(*) from reconciliation_reports)::integer as reports,
      (select count(*) from reconciliation_checks)::integer as checks,
      (select count(*) from reconciliation_exceptions)::integer as exceptions,
      (select count(*) from reconciliation_findings)::integer as findings,
      (select count(*) from reconciliation_exception_events)::integer as events,
      (select count(*) from reconciliation_alerts)::integer as alerts`;
  return { ...row! };
}
