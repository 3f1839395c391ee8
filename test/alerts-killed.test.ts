import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from './support/database.ts';
import { LedgerBuilder } from './support/ledger.ts';

const binary = fileURLToPath(new URL('../bin/recon.js', import.meta.url));

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
  server.on('connection', () => strike('connected'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return hook;
}

test('kill -9 between the commit and the delivery: the run stands, and nothing is lost or told under two ids', async () => {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date() });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
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

  for (const step of ['connected', 'asked', 'answered'] as const) {
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    const run = start();
    hook.at = { [step]: () => run.kill('SIGKILL') };
    expect(await once(run, 'exit'), step).toEqual([null, 'SIGKILL']);
    const [report] = await sql`select status from reconciliation_reports order by started_at desc limit 1`;
    expect(report, step).toEqual({ status: 'completed' });
    expect(await sql`select state from reconciliation_alerts where state <> 'delivered'`, step).toHaveLength(1);

    const next = start();
    expect(await once(next, 'exit'), step).toEqual([2, null]);
    expect(await sql`select state from reconciliation_alerts where state <> 'delivered'`, step).toHaveLength(0);
  }
  const stored = await sql<{ id: string }[]>`select id from reconciliation_alerts order by number`;
  expect(stored).toHaveLength(3);
  expect([...new Set(hook.ids)]).toEqual(stored.map(({ id }) => id));
  expect(hook.ids).toHaveLength(4); // the one that was answered is told again, under its id
});
