import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

test(
  'of 100,000 open exceptions status tells in less than a second, by the indexes',
  { timeout: 120_000 },
  async () => {
    const { url, sql } = await testDatabase();
    const { types } = operatorOf(url);
    const report = '10000000-0000-4000-8000-000000000001';
    await sql`
    insert into reconciliation_reports (id, run_type, status, started_at, created_at)
    values (${report}, 'daily', 'completed', ${cutAt}, ${cutAt})`;
    await sql`
    insert into reconciliation_exceptions (
      report_id, last_report_id, check_type, kind, fingerprint, severity, description, difference, currency,
      affected_entity, created_at, resolved_at
    )
    select
      ${report}::uuid, ${report}::uuid, 'deposits', 'missing_in_ledger', 'deposits/missing_in_ledger/' || number,
      case when number <= 100 then 'critical' else (array['low', 'medium', 'high'])[number % 3 + 1] end,
      'number ' || number, -number, 'USDC', 'deposit:' || number, ${cutAt}::timestamptz - number * interval '10 minutes',
      case when number > 100000 then ${cutAt}::timestamptz end
    from generate_series(1, 120000) as number`;
    await sql`vacuum analyze reconciliation_exceptions`;

    const started = performance.now();
    const { exitCode, stdout } = await types(['status'], { asOf: cutAt, now: cutAt });
    const tookMs = performance.now() - started;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^critical +100 +0 +0 +0 +100 +5050 {2}USDC$/m);
    expect(stdout).toMatch(/^high +\d+ +\d+ +1,\d+ +31,\d+ +33,3\d\d +\d+ {2}USDC$/m);
    expect(stdout).toContain('recon exceptions list --severity critical\n      99 more');
    expect(tookMs).toBeLessThan(1_000);

    const used = await sql<{ name: string }[]>`
    select indexrelname as name from pg_stat_user_indexes
    where relname = 'reconciliation_exceptions' and idx_scan > 0 order by indexrelname`;
    expect(used.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['reconciliation_exceptions_newest', 'reconciliation_exceptions_unresolved']),
    );
  },
);
