import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { Sql } from 'postgres';

/** What the figures depend on besides recon. */
export interface Conditions {
  date: string;
  postgresql: string;
  node: string;
  system: string;
  cpu: string;
  cpus: number;
  memory_bytes: number;
  rounds: number;
  /** Of the server. The totals-only queries run under them, but with work_mem = 64MB, as recon sets it for itself. */
  settings: Record<string, string>;
}

const settingNames = [
  'shared_buffers',
  'effective_cache_size',
  'work_mem',
  'hash_mem_multiplier',
  'max_parallel_workers_per_gather',
  'max_parallel_workers',
  'jit',
  'random_page_cost',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
];

export async function readConditions(sql: Sql, rounds: number): Promise<Conditions> {
  const settings = await sql<{ name: string; value: string }[]>`
    select name, current_setting(name) as value
    from unnest(${settingNames}::text[]) with ordinality as wanted (name, place)
    order by place`;
  const [server] = await sql<[{ version: string }]>`select current_setting('server_version') as version`;
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    postgresql: server.version,
    node: process.versions.node,
    system: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memory_bytes: totalmem(),
    rounds,
    settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
  };
}
