import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { testDatabase, untilWaited } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';

const binary = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

interface Hook {
  url: string;
  /** The ids of what it took, in order. */
  ids: string[];
  /** Called once, at that step of the next delivery. */
  at: { connected?: () => void; asked?: () => void; answered?: () => void };
}

async function startHook(): Promise<Hook> {
  const hook: Hook = { url: '', ids: [], at: {} };
  const strike = (step: keyof Hook['at']) => {
    const blow = hook.at[step];
    hook.at = blow === undefined ? hook.at : {};
    blow?.();
    return blow !== undefined;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    await text(request);
    if (strike('asked')) return;
    hook.ids.push(String(request.headers['webhook-id']));
    response.end();
    await once(response, 'finish');
    strike('answered');
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => undefined));
  server.on('connection', (socket) => {
    if (strike('connected')) socket.destroy(); // what it has sent by now is not read
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return hook;
}

test('kill -9 at every step between the commit and the delivery: nothing is lost, and nothing is told under two ids', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date() });
  ledger.deposit(ledger.user(), '5000', { post: false });
  await ledger.save(sql);
  const hook = await startHook();
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: url,
    RECONCILIATION_CHECKS: 'deposits',
    RECONCILIATION_ALERT_WEBHOOK_URL: hook.url,
    LOG_LEVEL: 'silent',
  };
  const start = () => spawn(process.execPath, [binary, 'run'], { env, stdio: 'ignore' });
  const isDead = async (run: ChildProcess, step: string) => {
    expect(await once(run, 'exit'), step).toEqual([null, 'SIGKILL']);
    const [report] = await sql`select status from reconciliation_reports order by started_at desc limit 1`;
    expect(report, step).toEqual({ status: 'completed' });
    expect(await sql`select state from reconciliation_alerts`, step).toEqual([{ state: 'waiting' }]);
  };

  await sql.begin(async (other) => {
    await other`select pg_advisory_xact_lock(hashtextextended('recon alerts public', 0))`;
    const run = start();
    await untilWaited(sql);
    run.kill('SIGKILL');
    await isDead(run, 'committed');
  });
  for (const step of ['connected', 'asked', 'answered'] as const) {
    const run = start();
    hook.at = { [step]: () => run.kill('SIGKILL') };
    await isDead(run, step);
  }
  expect(await once(start(), 'exit')).toEqual([2, null]);
  const stored = await sql<{ id: string; state: string }[]>`select id, state from reconciliation_alerts`;
  expect(stored.map(({ state }) => state)).toEqual(['delivered']);
  expect(hook.ids).toEqual([stored[0]!.id, stored[0]!.id]); // the one that was answered is told again, under its id
});
