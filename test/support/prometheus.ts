import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Monitoring {
  pushgatewayUrl: string;
  /** Ends the Pushgateway without a word, and starts an empty one in its place. */
  restartPushgateway: () => Promise<void>;
  /** The alerts that fire now, `name` or `name run_type`, sorted. */
  firing: () => Promise<string[]>;
  /** The number of series that a query finds. */
  count: (query: string) => Promise<number>;
}

/** A real Pushgateway behind a real Prometheus with these rules, until the test is over. */
export async function startMonitoring(rules: string): Promise<Monitoring> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-prometheus-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [gatewayPort, prometheusPort] = [await freePort(), await freePort()];
  const [gateway, prometheus] = [gatewayPort, prometheusPort].map((port) => `127.0.0.1:${port}`);
  await writeFile(join(folder, 'rules.yml'), rules);
  await writeFile(join(folder, 'prometheus.yml'), configOf(gateway!));
  const startGateway = () =>
    start(
      'prometheus-pushgateway',
      [`--web.listen-address=${gateway!}`, '--persistence.file='],
      `http://${gateway!}/-/ready`,
    );
  let running = await startGateway();
  const files = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  await start('prometheus', [...files, `--web.listen-address=${prometheus!}`], `http://${prometheus!}/-/ready`);
  const ask = async (path: string) => {
    const response = await fetch(`http://${prometheus!}/api/v1/${path}`);
    return (await response.json()) as { status: string; error?: string; data: { alerts: Alert[]; result: unknown[] } };
  };
  return {
    pushgatewayUrl: `http://${gateway!}`,
    restartPushgateway: async () => {
      await end(running);
      await sleep(1_000); // long enough to be scraped in vain
      running = await startGateway();
    },
    firing: async () => {
      const { data } = await ask('alerts');
      return data.alerts
        .filter(({ state }) => state === 'firing')
        .map(({ labels }) => [labels['alertname'], labels['run_type']].filter(Boolean).join(' '))
        .toSorted();
    },
    count: async (query) => {
      const { status, error, data } = await ask(`query?query=${encodeURIComponent(query)}`);
      if (status !== 'success') throw new Error(`${query}: ${error ?? ''}`);
      return data.result.length;
    },
  };
}

interface Alert {
  state: string;
  labels: Record<string, string>;
}

function configOf(gateway: string): string {
  return `
global: { scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }
rule_files: [rules.yml]
scrape_configs:
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{ targets: ['${gateway}'] }]
`;
}

async function start(program: string, flags: string[], readyUrl: string): Promise<ChildProcess> {
  const child = spawn(program, flags, { stdio: 'ignore' });
  onTestFinished(() => end(child));
  const deadline = Date.now() + 20_000;
  for (;;) {
    const response = await fetch(readyUrl).catch(() => undefined);
    if (response?.ok === true) return child;
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${program} did not start.`);
    await sleep(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
