import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { main } from '../../src/main.ts';
import { testDatabase } from '../support/database.ts';
import { operatorOf, testWorld } from '../support/world.ts';

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
  'corrections reject 3f2a --note x',
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
          /^recon: Somebody else held a lock at \S+ for too long: .* \(55P03\)\.\n.* Often it is a migration that was left open\. Locked at that moment: session \d+ of the role .*: reconciliation_\w+.*\nrecon: exit 3\n$/,
        ) as string,
      });
  });
});

test('who waits for a lock is told after a moment whose it is, and goes on when it is free', async () => {
  const { url, sql } = await testDatabase();
  const lines = ['exceptions list', 'corrections stop --note x --by Ada'];
  const [holder, waiting] = await sql.begin(async (other) => {
    const [own] = await other<{ said: string }[]>`
      select format('session %s of the role %s (a spreadsheet', pg_backend_pid(), current_user) as said,
        set_config('application_name', ${'a spreadsheet\u001b]0;\u202e' + 'x'.repeat(9_000)}, true)`;
    await other`lock table reconciliation_exceptions, reconciliation_correction_switch in access exclusive mode`;
    const commands = lines.map((line) => {
      const world = testWorld({ env: { DATABASE_URL: url } });
      return { world, ended: main(line.split(' '), world) };
    });
    while (commands.some(({ world }) => !world.stderr.text.includes('\n'))) await sleep(20);
    return [own!.said, commands];
  });
  for (const { world, ended } of waiting) {
    expect(await ended).toBe(0);
    const [told, ...rest] = world.stderr.text.split('\n');
    expect(told).toMatch(
      /^recon: waiting, for a minute at most, for a lock of session .*, since 20\S+Z, on reconciliation_(exceptions|correction_switch)$/,
    );
    expect(told).toContain(holder);
    expect(told, 'a name is text, and no flood').not.toMatch(/[\u0000-\u001f\u202e]|x{60}/);
    expect(rest.join(), 'once').not.toContain('waiting');
  }
});

test('nothing is locked while a slow reader has what a command printed, if that was read as a whole', async () => {
  const { url, sql } = await testDatabase();
  await operatorOf(url, { RECONCILIATION_CHECKS: 'deposits' }).types(['run']);
  const held: unknown[] = [];
  const slowly = async (line: string) => {
    held.push(
      ...(await sql`
        select ${line} as line, activity.query from pg_stat_activity as activity
        where activity.application_name = 'recon' and activity.datname = current_database() and activity.xact_start is not null`),
    );
  };
  for (const line of [
    'status',
    'reports list',
    'reports show',
    'reports show -o html',
    'corrections list -o json',
    'alerts list -o json',
    'metrics print',
  ]) {
    const written: Promise<void>[] = [];
    const write: Writable['_write'] = (_chunk, _encoding, done) => {
      const seen = slowly(line);
      written.push(seen);
      void seen.finally(done);
    };
    const stdout = new Writable({ highWaterMark: 1, write });
    expect(await main(line.split(' '), { ...testWorld({ env: { DATABASE_URL: url } }), stdout }), line).toBe(0);
    expect(written.length, line).toBeGreaterThan(0);
    await Promise.all(written);
  }
  expect(held).toEqual([]);
});
