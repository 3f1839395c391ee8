import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { inReadOnly, openDatabase } from '../../src/database/database.ts';
import { listReports } from '../../src/reports.ts';
import { version } from '../../src/version.ts';
import { withRunLock } from '../../src/run/lock.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { login } from '../support/login.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, type RunDocument } from '../support/world.ts';

const { url, sql } = await testDatabase();

async function threeRuns() {
  const operator = operatorOf(url, { RECONCILIATION_CHECKS: 'deposits' });
  const ledger = new LedgerBuilder({ now: cutAt });
  ledger.deposit(ledger.user(), '5.000000000000000001', { post: false });
  await ledger.save(sql);
  const runs: RunDocument[] = [];
  for (const type of ['daily', 'hourly', 'manual']) runs.push(await operator.runs(['--type', type]));
  return { ...operator, ids: runs.map(({ report }) => report.id), runs };
}

/** `body` while somebody holds the lock of that schema's runs. */
async function whileARunIsUnderWay<T>(at: string, body: () => Promise<T>, schema = 'public'): Promise<T> {
  const database = openDatabase(at, { connections: 1 });
  const patience = { waitMs: 0, signal: new AbortController().signal, waiting: () => undefined };
  try {
    return await withRunLock(database, schema, patience, body);
  } finally {
    await database.end();
  }
}

/** What comes next after a run that ended so, from the cause on. */
const brokenOff = (type: string, reason: string) =>
  new RegExp(
    `\\nnext\\n {2}recon doctor\\n {6}The ${type} run ended .* On record: ${reason}\\n {2}recon run --type ${type}\\n`,
  );

describe('recon reports', { timeout: 120_000 }, () => {
  test('list: the newest first; show: a run as it was, by its id or a prefix of it', async () => {
    const { types, ids, runs } = await threeRuns();
    const [daily, hourly, manual] = ids as [string, string, string];
    const listed = async (...flags: string[]) => {
      const { stdout } = await types(['reports', 'list', '-o', 'json', ...flags]);
      const document = JSON.parse(stdout) as { version: number; reports: { id: string }[] };
      expect(document.version).toBe(1);
      return document.reports.map(({ id }) => id);
    };
    expect(await listed()).toEqual([manual, hourly, daily]);
    expect(await listed('--type', 'hourly')).toEqual([hourly]);
    expect(await listed('-L', '2')).toEqual([manual, hourly]);
    for (const format of ['table', 'json', 'csv']) {
      const { stderr } = await types(['reports', 'list', '-L', '2', '-o', format]);
      expect(stderr).toBe('2 of 3 reports; --limit shows more.\n');
    }
    expect(await types(['reports', 'list', '--type', 'daily', '-L', '1'])).toMatchObject({ stderr: '' });

    const { stdout: table } = await types(['reports', 'list']);
    expect(table.split('\n')[1]).toMatch(
      new RegExp(
        `^${manual.slice(0, 8)} +manual +failed +2026-03-01 .* 0 ms +1 +1 failed +off \\(RECONCILIATION_CHECKS\\): ledger_consistency, .*, withdrawals$`,
      ),
    );
    const { stdout: csv } = await types(['reports', 'list', '-o', 'csv']);
    expect(csv.split('\r\n')[0]).toBe(
      'id,run_type,status,started_at,completed_at,total_checks,passed_checks,failed_checks,exceptions_count,error_message,metadata,created_at',
    );

    const { stdout: shown } = await types(['reports', 'show', daily.slice(0, 13), '-o', 'json']);
    const document = JSON.parse(shown) as RunDocument;
    expect(Object.keys(document)).toEqual(['version', 'report', 'checks', 'exceptions']);
    expect(document).toMatchObject({
      report: { id: daily, run_type: 'daily' },
      checks: [{ id: runs[0]!.checks[0]!['id'], expected_value: '5.000000000000000001', execution_time_ms: 0 }],
      exceptions: [{ kind: 'missing_in_ledger', occurrences: 3 }],
    });
    const { stdout: page } = await types(['reports', 'show', daily.slice(0, 13), '-o', 'html']);
    expect(page).toMatch(/^<!doctype html>[^]*<h1>daily run [0-9a-f]{8}, production: [^]*<\/html>\s*$/);
    expect(page).toContain('<title>medium: 5.000000000000000001 USDC</title>');
    expect(page).toContain('<title>deposits 2026-03-01: failed, 1 finding</title');
    const { stdout: latest } = await types(['reports', 'show']);
    expect(latest).toContain(`manual run ${manual.slice(0, 8)}`);
    expect(latest).toContain('5.000000000000000001');
    const asNow = 'The table of exceptions says how each stands now, not how the run found it.\n';
    expect((await types(['reports', 'show', daily])).stdout).toContain(asNow);
    expect(latest, 'nothing has happened since').not.toContain(asNow);
    expect((await types(['run', '--dry-run'])).stdout).not.toContain(asNow);
    expect(latest, 'by this recon').not.toContain('made by recon');
    await sql`update reconciliation_reports set metadata = metadata || '{"recon_version": "0.0.1"}' where id = ${manual}`;
    expect((await types(['reports', 'show'])).stdout).toContain(`\nmade by recon 0.0.1; this is ${version}\n`);
  });

  test('a run without a verdict is running or interrupted, never failed', async () => {
    const { url: own, sql: reports } = await testDatabase();
    await reports`insert into reconciliation_reports (id, run_type, status, started_at, completed_at, error_message) values
      ('aaaa0000-0000-4000-8000-000000000001', 'daily', 'failed', '2026-03-01 10:00Z', '2026-03-01 10:01Z', 'interrupted by SIGTERM'),
      ('aaaa0000-0000-4000-8000-000000000002', 'hourly', 'in_progress', '2026-03-01 11:00Z', null, null),
      ('aaaa0000-0000-4000-8000-000000000003', 'manual', 'failed', '2026-03-01 09:00Z', '2026-03-01 10:00Z', 'interrupted')`;
    const { types } = operatorOf(own);
    const { stdout } = await whileARunIsUnderWay(own, () => types(['reports', 'list']));
    expect(stdout).toMatch(/^aaaa0000 +hourly +running +2026/m);
    expect(stdout).toMatch(/^aaaa0000 +daily +interrupted +2026-.* 1 min 0 s .* interrupted by SIGTERM$/m);
    expect(stdout, 'it died, and nobody knows when').toMatch(
      /^aaaa0000 +manual +interrupted +\S+ \S+ \S+ +0 +interrupted$/m,
    );
    const { stdout: shown } = await types(['reports', 'show', 'aaaa0000-0000-4000-8000-000000000001']);
    expect(shown).toMatch(/^daily run aaaa0000 .* interrupted\n/);
    expect(shown).toContain('interrupted by SIGTERM');
    expect(shown).toMatch(brokenOff('daily', 'interrupted by SIGTERM'));
    expect(shown, 'no table of checks without checks').not.toContain('verdict');
  });

  test('a run whose process is gone is told as what the next run will write, which nobody writes who only looks', async () => {
    const { url: own, sql: reports } = await testDatabase();
    await reports`insert into reconciliation_reports (id, run_type, status, started_at, created_at)
      values ('dead0000-0000-4000-8000-000000000000', 'daily', 'in_progress', '2026-03-01 11:00Z', '2026-03-01 11:00Z')`;
    await reports.unsafe(await readFile(new URL('../../sql/roles.sql', import.meta.url), 'utf8'));
    const { types } = operatorOf((await login(reports, own, 'recon_reader')).url);
    const said = async (...line: string[]) => (await types(line, { now: cutAt })).stdout;
    for (const line of [['status'], ['reports', 'show', 'dead']]) {
      const shown = await said(...line);
      expect(shown).toMatch(/^daily .*dead0000 .* interrupted( |$)/m);
      expect(shown).toMatch(brokenOff('daily', 'interrupted'));
    }
    expect(await said('reports', 'list')).toMatch(/^dead0000 +daily +interrupted +\S+ \S+ \S+ +0 +interrupted$/m);
    expect((await types(['reports', 'show'])).stderr).toContain(
      ' ended without a result: interrupted; `recon reports show dead0000` says what to do. ',
    );
    const told = { status: 'failed', completed_at: null, error_message: 'interrupted' };
    expect(JSON.parse(await said('reports', 'list', '-o', 'json'))).toMatchObject({ reports: [told] });
    expect(await reports`select status, error_message from reconciliation_reports`).toEqual([
      { status: 'in_progress', error_message: null },
    ]);

    await whileARunIsUnderWay(own, async () => {
      expect(await said('status')).toMatch(/^daily .*dead0000 .* running( |$)/m);
    });
    await reports`revoke select on pg_locks from public`;
    expect(await said('status'), 'where nobody tells').toMatch(/^daily .*dead0000 .* running( |$)/m);
    await reports`grant select on pg_locks to public`;
    await whileARunIsUnderWay(
      own,
      async () => {
        expect(await said('reports', 'list'), 'of another schema').toContain(' interrupted ');
      },
      'another',
    );
  });

  test('a run that ends while somebody asks whether it is under way has not died', async () => {
    const { url: own, sql: reports } = await testDatabase();
    await reports`insert into reconciliation_reports (run_type, status) values ('daily', 'in_progress')`;
    const end = () => reports`update reconciliation_reports set status = 'completed'`;
    const database = openDatabase(own, { connections: 1 });
    const { reports: listed } = await inReadOnly(database, (transaction) => {
      const seen = new Proxy(transaction, {
        get: (target, name): unknown => {
          if (name !== 'savepoint') return Reflect.get(target, name);
          return (look: Parameters<typeof target.savepoint>[1]) => end().then(() => target.savepoint(look as never)); // of the lock
        },
      });
      return listReports(seen, 'public', { type: undefined, limit: 1 });
    });
    await database.end();
    expect(listed).toMatchObject([{ status: 'completed', error_message: null }]);
  });

  test('without an id, or of the latest: the last run that has a result, and what is newer is named', async () => {
    const { url: own, sql: reports } = await testDatabase();
    const { types } = operatorOf(own, { RECONCILIATION_CHECKS: 'deposits' });
    const insert = (id: string, status: string, at: string, error: string | null) =>
      reports`insert into reconciliation_reports (id, run_type, status, started_at, created_at, error_message)
        values (${`${id}-0000-4000-8000-000000000000`}, 'hourly', ${status}, ${at}, ${at}, ${error})`;
    await insert('aaaa0000', 'failed', '2026-03-01 09:00Z', 'interrupted by SIGTERM');
    const first = await types(['reports', 'show']);
    expect(first.stderr).toMatch(
      /^recon: The newest run, hourly aaaa0000 of 2026-03-01 .*, ended without a result: interrupted by SIGTERM; `recon reports show aaaa0000` says what to do\. No run has a result yet\.\n$/,
    );
    expect(first.stdout).toMatch(/^hourly run aaaa0000 .* interrupted\n/);

    const ledger = new LedgerBuilder({ now: cutAt });
    ledger.deposit(ledger.user(), '5', { post: false });
    await ledger.save(reports);
    await types(['run']);
    expect(await types(['reports', 'show'])).toMatchObject({
      stdout: expect.stringMatching(/^manual run/) as string,
      stderr: '',
    });
    for (const [id, status, why] of [
      ['bbbb0000', 'failed', 'ended without a result: interrupted; `recon reports show bbbb0000` says what to do'],
      ['cccc0000', 'in_progress', 'has no result yet'],
    ] as const) {
      await insert(id, status, '2026-03-02 09:00Z', status === 'failed' ? 'interrupted' : null);
      const shown = await whileARunIsUnderWay(own, () => types(['reports', 'show']));
      expect(shown.stdout).toMatch(/^manual run .* failed\n/);
      expect(shown.stderr).toContain(`recon: The newest run, hourly ${id} of 2026-03-02 `);
      expect(shown.stderr).toContain(`, ${why}. Taken is the last run that has one.\n`);
      const line = ['exceptions', 'list', '--report', 'latest', '-o', 'json'];
      const listed = await whileARunIsUnderWay(own, () => types(line));
      expect(JSON.parse(listed.stdout)).toMatchObject({ exceptions: [{ kind: 'missing_in_ledger' }] });
      expect(listed.stderr).toBe(shown.stderr);
      await reports`delete from reconciliation_reports where id = ${`${id}-0000-4000-8000-000000000000`}`;
    }
  });

  test('an id that is unknown or not enough: 64', async () => {
    const { types } = operatorOf(url);
    await sql`insert into reconciliation_reports (id, run_type, status) values
      ('abcd0000-0000-4000-8000-000000000001', 'manual', 'completed'),
      ('abcd0000-0000-4000-8000-000000000002', 'manual', 'completed')`;
    for (const id of ['ffff', 'zzzz', '', "'"])
      expect(await types(['reports', 'show', id])).toMatchObject({ exitCode: 64, stdout: '' });
    const ambiguous = await types(['reports', 'show', 'ABCD']);
    expect(ambiguous).toMatchObject({ exitCode: 64, stdout: '' });
    expect(ambiguous.stderr).toContain(
      'There is more than one report whose id begins with "ABCD": abcd0000-0000-4000-8000-000000000001, abcd0000-',
    );
  });

  test('none: says so on stderr', async () => {
    const { url: empty } = await testDatabase();
    const { types } = operatorOf(empty);
    expect(await types(['reports', 'list'])).toEqual({ exitCode: 0, stdout: '', stderr: 'No reports.\n' });
    const { exitCode, stderr } = await types(['reports', 'show']);
    expect([exitCode, stderr]).toEqual([
      64,
      'recon: There is no report yet.\n`recon run` writes one.\nrecon: exit 64\n',
    ]);
  });
});
