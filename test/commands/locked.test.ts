import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { operatorOf } from '../support/world.ts';

/** Each waits for a table that is locked, before it has anything to show or to ask. */
const lines = [
  'status',
  'exceptions list',
  'exceptions list --user 3f2a',
  'exceptions show 3f2a',
  'exceptions show 3f2a --sql',
  'exceptions resolve 3f2a --by Ada --note x',
  'reports list',
  'reports show',
  'reports show -o html',
  'corrections list',
  'corrections show 3f2a',
  'corrections reject 3f2a',
  'corrections stop --note x',
  'alerts list',
  'alerts retry 3f2a',
  'alerts retry',
  'metrics print',
  'purge --dry-run',
];

test('no command waits without end for a table that somebody has locked: it says so, and ends with 3', async () => {
  const { url, sql } = await testDatabase();
  const { types } = operatorOf(url, {
    RECONCILIATION_RUN_TIMEOUT: '1s',
    RECONCILIATION_ALERT_WEBHOOK_URL: 'http://127.0.0.1:1',
  });
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where tablename like 'reconciliation_%' and tablename <> 'reconciliation_migrations'`;
  await sql.begin(async (other) => {
    for (const { name } of tables) await other`lock table ${other(name)} in access exclusive mode`;
    for (const outcome of await Promise.all(lines.map(async (line) => ({ line, ...(await types(line.split(' '))) }))))
      expect(outcome).toEqual({
        line: outcome.line,
        exitCode: 3,
        stdout: '',
        stderr: expect.stringMatching(
          /^recon: Somebody else held a lock at \S+ for too long: .* \(55P03\)\.\n.* pg_locks says who holds it.*\nrecon: exit 3\n$/,
        ) as string,
      });
  });
});
