import { describe, expect } from 'vitest';
import { startCustodians } from '../support/custodians.ts';
import { testDatabase } from '../support/database.ts';
import { testWith } from '../support/installed.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

const test = testWith(['pgbouncer']);

describe('through PgBouncer', { timeout: 60_000 }, () => {
  test('in transaction mode every command works', async () => {
    const { url, sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: cutAt });
    const ada = ledger.user();
    ledger.deposit(ada, '20');
    ledger.investment(ada, '3');
    const { subject } = ledger.deposit(ada, '50', { post: false });
    await ledger.save(sql);
    let clock = cutAt;
    const { env } = await startCustodians(ada, { usdc: '0', cash: '3' }, () => clock);
    const { runs, types } = operatorOf(await startPgBouncer(url, { pool_mode: 'transaction' }), env);
    for (const type of ['daily', 'hourly', 'manual']) {
      const { exceptions, checks } = await runs(['--type', type]);
      expect(checks.map(({ error_message: why }) => why)).toEqual(Array(6).fill(null));
      expect(exceptions.map(({ affected_entity: entity }) => entity)).toContain(subject);
    }
    clock = new Date();
    const { stdout, exitCode } = await types(['doctor'], { now: clock, asOf: null });
    clock = cutAt;
    expect([exitCode, stdout]).toEqual([0, expect.not.stringMatching(/^problem/m)]);
    const id = (await runs()).exceptions[0]!.id;
    for (const line of [
      ['exceptions', 'show', id],
      ['exceptions', 'list'],
      ['status'],
      ['reports', 'show'],
      ['migrate', 'status'],
    ])
      expect(await types(line)).toMatchObject({ exitCode: 0 });
    expect(await types(['exceptions', 'resolve', id, '--by', 'Ada', '--note', 'x'])).toMatchObject({ exitCode: 0 });
    expect(await types(['migrate', 'down', '--yes', '--drop-history'])).toMatchObject({ exitCode: 0 });
    expect(await types(['migrate', 'up'])).toMatchObject({ exitCode: 0 });
  });

  test('in transaction mode two runs at once are one run and one exit code 4', async () => {
    const { url } = await testDatabase();
    const { types } = operatorOf(await startPgBouncer(url, { pool_mode: 'transaction' }));
    const codes = (await Promise.all([types(['run']), types(['run'])])).map(({ exitCode }) => exitCode);
    expect(codes.sort()).toEqual([0, 4]);
  });

  test('in statement mode a sentence says that this cannot be', async () => {
    const { url, sql } = await testDatabase();
    const { types } = operatorOf(await startPgBouncer(url, { pool_mode: 'statement' }));
    expect(await types(['run'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('PgBouncer before it (pool_mode transaction or session') as string,
    });
    expect(await sql`select from reconciliation_reports`).toHaveLength(0);
  });
});
