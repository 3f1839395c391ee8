import { spawn, type ChildProcessWithoutNullStreams, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from './support/database.ts';
import { LedgerBuilder } from './support/ledger.ts';
import { slowly, sourceFolder } from './support/source-folder.ts';

// The program as it is installed: bin/recon.js and dist/, which `npm test` builds first.
const program = fileURLToPath(new URL('../bin/recon.js', import.meta.url));

interface Process {
  child: ChildProcessWithoutNullStreams;
  outcome: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function start(argv: string[], env: Record<string, string>, command = program): Process {
  const child = spawn(process.execPath, [command, ...argv], { env });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const printed = Promise.all([child.stdout, child.stderr].map((stream) => text(stream).catch(() => '')));
  const outcome = ended.then(async (end) => {
    const [stdout = '', stderr = ''] = await printed;
    return { ...end, stdout, stderr };
  });
  return { child, outcome };
}

async function books() {
  const { url, sql } = await testDatabase();
  return { sql, env: { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits' } };
}

/** With one of its streams on a disk that is full. */
async function onFullDisk(stream: 'stdout' | 'stderr', argv: string[], env: Record<string, string>) {
  await using full = await open('/dev/full', 'w');
  const stdio = { stdout: ['ignore', full.fd, 'pipe'], stderr: ['ignore', 'pipe', full.fd] }[stream];
  const child = spawn(process.execPath, [program, ...argv], { env, stdio: stdio as StdioOptions });
  const printed = Promise.all(
    [child.stdout, child.stderr].map(async (output) => (output === null ? '' : text(output))),
  );
  const [code] = (await once(child, 'close')) as [number | null];
  const [stdout = '', stderr = ''] = await printed;
  return { code, stdout, stderr };
}

/** A run that hangs in its first check. */
async function slowRun() {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date() });
  ledger.deposit(ledger.user(), '5');
  await ledger.save(sql);
  const source = await sourceFolder({ deposits: slowly });
  const env = { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_SOURCE: source };
  const run = start(['run'], env);
  await eventually(async () => {
    const rows = await sql`select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    expect(rows).toHaveLength(1);
  });
  return { ...run, url, sql };
}

function eventually(holds: () => Promise<void>): Promise<void> {
  return expect.poll(async () => holds().then(() => 'yes', String), { timeout: 30_000, interval: 50 }).toBe('yes');
}

function statusOf(sql: postgres.Sql) {
  return sql`select status, error_message from reconciliation_reports order by started_at`;
}

describe('the process', { timeout: 120_000 }, () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s in the middle of a run: the report says so, exit %i well within 10 s', async (signal, code) => {
    const { child, outcome, sql } = await slowRun();
    const sent = performance.now();
    child.kill(signal);
    const ended = await outcome;
    expect(performance.now() - sent).toBeLessThan(9_000);
    expect(ended).toMatchObject({ code, signal: null, stdout: '' });
    expect(ended.stderr).toContain(`recon: interrupted by ${signal}\nrecon: exit ${code}\n`);
    expect(await statusOf(sql)).toMatchObject([{ status: 'failed', error_message: `interrupted by ${signal}` }]);
  });

  test('nor does the lock of somebody else keep it from ending, while it stores', async () => {
    const { url, sql } = await testDatabase();
    const locked = await sql.reserve();
    onTestFinished(() => {
      locked.release();
    });
    await locked.unsafe('begin; lock table reconciliation_checks in exclusive mode');
    const { child, outcome } = start(['run'], { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits' });
    await eventually(async () => {
      const rows = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(rows).toHaveLength(1);
    });
    const sent = performance.now();
    child.kill('SIGTERM');
    expect(await outcome).toMatchObject({ code: 143, stdout: '' });
    expect(performance.now() - sent).toBeLessThan(9_000);
    expect(await statusOf(sql)).toMatchObject([{ status: 'failed', error_message: 'interrupted by SIGTERM' }]);
    await locked.unsafe('rollback');
  });

  test('a reader that goes away is no error, on stdout or stderr', async () => {
    for (const stream of ['stdout', 'stderr'] as const) {
      const { child, outcome } = start(stream === 'stdout' ? ['checks', '-o', 'csv'] : ['run', '--nonsense'], {});
      child[stream].destroy();
      const { code, stderr } = await outcome;
      expect(code).toBe(stream === 'stdout' ? 0 : 64);
      expect(stderr).not.toMatch(/EPIPE|Error/);
    }
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk under the log costs the run nothing', async () => {
    const { env, sql } = await books();
    const { code, stdout } = await onFullDisk('stderr', ['run', '-o', 'json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ report: { metadata: { verdict: 'passed' } } });
    expect(await statusOf(sql)).toMatchObject([{ status: 'completed' }]);
  });

  test.skipIf(!existsSync('/dev/full'))(
    'a full disk under the result: one sentence and 3, the run is stored',
    async () => {
      const { env, sql } = await books();
      for (const argv of [['run'], ['run', '-o', 'json'], ['reports', 'list'], ['checks', '-o', 'json'], ['--help']]) {
        const { code, stderr } = await onFullDisk('stdout', argv, { ...env, LOG_LEVEL: 'silent' });
        expect(code, argv.join(' ')).toBe(3);
        expect(stderr).toMatch(
          /recon: the result could not be written to stdout \(ENOSPC\); what the command did stays done\nrecon: exit 3\n$/,
        );
        expect(stderr).not.toMatch(/\n\s+at /);
      }
      expect(await statusOf(sql)).toMatchObject([{ status: 'completed' }, { status: 'completed' }]);
    },
  );

  test('nothing but the result on stdout, the same whether it is read slowly or not', async () => {
    const { stdout, code } = await start(['checks', '-o', 'json'], {}).outcome;
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { kinds: object[] }).kinds.length).toBeGreaterThan(30);
  });

  test.each([
    ['n', 2],
    ['what it asks for', 0],
  ])(
    'a question that was answered with %s keeps nothing alive, though the terminal stays open',
    async (answer, code) => {
      const { url } = await testDatabase();
      const terminal = 'data:text/javascript,process.stdin.isTTY=true';
      const child = spawn(process.execPath, ['--import', terminal, program, 'migrate', 'down'], {
        env: { DATABASE_URL: url },
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      child.stderr.on('data', (chunk: Buffer) => {
        const [, wanted] = /Type "(\w+)"/.exec(chunk.toString()) ?? [];
        if (wanted !== undefined) child.stdin.write(`${answer === 'n' ? answer : wanted}\n`);
      });
      expect(await once(child, 'exit')).toEqual([code, null]);
    },
    20_000,
  );

  test('what the driver of PostgreSQL would read for itself from the environment changes nothing', async () => {
    const { url } = await testDatabase();
    // the first of them it would take for a wish for TLS, the second it does not know, with the third it sends nothing
    const ofDriver = { PGSSL: 'disable', PGTARGETSESSIONATTRS: 'any', PGMAX_PIPELINE: '0' };
    const { outcome } = start(['migrate', 'status'], { DATABASE_URL: url, ...ofDriver });
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
    // and what it promised is not taken away in silence
    const asking = start(['migrate', 'status'], { DATABASE_URL: url, PGSSL: 'require' });
    const told = 'recon: DATABASE_URL has no sslmode, and PGSSL, which asks for TLS, is not read: put sslmode=';
    expect(await asking.outcome).toMatchObject({ code: 78, stderr: expect.stringContaining(told) as string });
  });

  test('that was not built says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recon-unbuilt-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'bin'));
    await cp(program, join(folder, 'bin/recon.js'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    expect(await start(['--version'], {}, join(folder, 'bin/recon.js')).outcome).toMatchObject({
      code: 78,
      stdout: '',
      stderr: 'recon: it is not built yet: run `npm run build`.\nrecon: exit 78\n',
    });
  });
});
