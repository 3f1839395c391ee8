import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { circleKey } from '../support/custodians.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { slowly, sourceFolder } from '../support/source-folder.ts';
import { operatorOf } from '../support/world.ts';

const recon = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

/** As in a container: the first process of its own namespace, which gets no signal that it does not handle. */
const asFirst = ['unshare', '--pid', '--fork', '--mount-proc'];
const isAllowed = spawnSync(asFirst[0]!, [...asFirst.slice(1), 'true']).status === 0;
const who = isAllowed ? 'process 1' : 'a child process [no namespace of its own: unshare is missing or not allowed]';

/** Starts it; `kill` reaches recon itself, not what started it. */
function start(env: Record<string, string>, args: readonly string[]) {
  const line = [...(isAllowed ? asFirst : []), process.execPath, recon, ...args];
  const child = spawn(line[0]!, line.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  const kill = async (signal: NodeJS.Signals) => {
    const inner = await readFile(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8').catch(() => '');
    process.kill(isAllowed ? Number(inner.trim()) : child.pid!, signal);
  };
  return { kill, outcome };
}

/** Takes connections and says nothing; `asked` resolves when the first request is there. */
async function silentServer() {
  const server = createServer();
  const asked = once(server, 'connection').then(([socket]) => once(socket as NodeJS.EventEmitter, 'data'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Until some session of the database waits for that. */
async function waitsFor(sql: postgres.Sql, event: 'Lock' | 'Timeout'): Promise<void> {
  await expect
    .poll(() => sql`select from pg_stat_activity where datname = current_database() and wait_event_type = ${event}`, {
      timeout: 30_000,
    })
    .toHaveLength(1);
}

const interrupted = [{ status: 'failed', error_message: 'interrupted by SIGTERM' }];

interface Phase {
  args?: string[];
  reports: { status: string; error_message: string | null }[];
  /** Leads the run into the phase: variables for it, and when it is there. */
  enter: (sql: postgres.Sql) => Promise<{ env?: Record<string, string>; there: Promise<unknown> }>;
}

/** Holds a lock on another connection until the test is over. */
async function hold(sql: postgres.Sql, statement: string): Promise<void> {
  const connection = await sql.reserve();
  await connection.unsafe(`begin; ${statement}`);
  onTestFinished(async () => {
    await connection.unsafe('rollback');
    connection.release();
  });
}

const phases: Record<string, Phase> = {
  'waits for the lock': {
    args: ['--wait', '60s'],
    reports: [],
    enter: async (sql) => {
      await hold(sql, `select pg_advisory_xact_lock(hashtextextended('recon run public', 0))`);
      const sessions = () =>
        sql`select from pg_stat_activity where application_name = 'recon' and datname = current_database()`;
      return { there: expect.poll(sessions, { timeout: 30_000 }).not.toEqual([]) };
    },
  },
  'writes its first report, which somebody else has locked': {
    reports: [],
    enter: async (sql) => {
      await hold(sql, 'lock table reconciliation_reports in exclusive mode');
      return { there: waitsFor(sql, 'Lock') };
    },
  },
  'reads a custodian': {
    reports: interrupted,
    enter: async () => {
      const { url, asked } = await silentServer();
      return {
        env: { RECONCILIATION_CHECKS: 'circle_balance', CIRCLE_BASE_URL: url, CIRCLE_API_KEY: circleKey },
        there: asked,
      };
    },
  },
  compares: {
    reports: interrupted,
    enter: async (sql) => ({
      env: { RECONCILIATION_SOURCE: await sourceFolder({ deposits: slowly }) },
      there: waitsFor(sql, 'Timeout'),
    }),
  },
  stores: {
    reports: interrupted,
    enter: async (sql) => {
      await hold(sql, 'lock table reconciliation_findings in access exclusive mode');
      return { there: waitsFor(sql, 'Lock') };
    },
  },
  'tells a target': {
    reports: [{ status: 'completed', error_message: null }],
    enter: async () => {
      const { url, asked } = await silentServer();
      return { env: { RECONCILIATION_ALERT_WEBHOOK_URL: url }, there: asked };
    },
  },
  'pushes metrics': {
    reports: interrupted,
    enter: async () => {
      const { url, asked } = await silentServer();
      return { env: { PUSHGATEWAY_URL: url }, there: asked };
    },
  },
};

describe(`SIGTERM to ${who}`, { timeout: 60_000 }, () => {
  test.each(Object.entries(phases))('while it %s: 143 within 10 s, a report, no lock', async (_name, phase) => {
    const { url, sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: new Date() });
    ledger.deposit(ledger.user(), '5000', { post: false });
    await ledger.save(sql);
    const { env, there } = await phase.enter(sql);
    const variables = { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits', ...env };
    const { kill, outcome } = start(variables, ['run', ...(phase.args ?? [])]);
    await there;
    const sent = performance.now();
    await kill('SIGTERM');
    const { code, stderr } = await outcome;
    expect(performance.now() - sent).toBeLessThan(10_000);
    expect(code, stderr).toBe(143);
    expect(await sql`select status, error_message from reconciliation_reports`).toEqual(phase.reports);
    if (phase.args === undefined)
      expect(await operatorOf(url).types(['run', '--dry-run'])).not.toMatchObject({ exitCode: 4 });
  });
});

test('two runs at once: one works, one exits 4', { timeout: 60_000 }, async () => {
  const { url, sql } = await testDatabase();
  const source = await sourceFolder({ deposits: slowly });
  const env = { DATABASE_URL: url, RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_SOURCE: source };
  const first = start(env, ['run']);
  const ledger = new LedgerBuilder({ now: new Date() });
  ledger.deposit(ledger.user(), '5');
  await ledger.save(sql);
  await expect.poll(() => sql`select from reconciliation_reports`, { timeout: 30_000 }).toHaveLength(1);
  expect((await start(env, ['run']).outcome).code).toBe(4);
  await first.kill('SIGTERM');
  await first.outcome;
});
