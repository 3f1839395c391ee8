import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../../src/operator-error.ts';
import { withoutSettings } from '../demo/recon.ts';
import { withoutCustodians, type RunDocument } from '../support/world.ts';
import { watchMemory } from './peak-memory.ts';

const bin = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

/** What one run of the real program took. */
export interface RunTimes {
  wallMs: number;
  /** As recon itself stores them, by check. */
  checksMs: Record<string, number>;
  peakMemoryBytes: number | undefined;
}

/** `recon run` with the four checks of the database. Only a run that ends as it should is worth a figure. */
export async function timeRun(url: string, type: 'hourly' | 'daily', expectedExit: 0 | 2): Promise<RunTimes> {
  const { stdout, wallMs, peakMemoryBytes } = await timeRecon(url, ['run', '--type', type, '-o', 'json'], expectedExit);
  const { checks } = JSON.parse(stdout) as RunDocument;
  const checksMs = Object.fromEntries(checks.map((check) => [check.check_type, Number(check['execution_time_ms'])]));
  return { wallMs, checksMs, peakMemoryBytes };
}

/** Tables of recon without anything in them. */
export async function startAnew(url: string): Promise<void> {
  await timeRecon(url, ['migrate', 'down', '--yes', '--drop-history'], 0);
  await timeRecon(url, ['migrate', 'up'], 0);
}

/** One command line of the real program. Throws an OperatorError (3) unless it ends with the exit code expected of it. */
export async function timeRecon(url: string, args: string[], expectedExit: number) {
  const env = {
    ...withoutSettings(process.env),
    DATABASE_URL: url,
    RECONCILIATION_CHECKS: withoutCustodians,
    RECONCILIATION_RUN_TIMEOUT: '24h', // how long it takes is what we want to know
  };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const peakMemory = watchMemory(child.pid!);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const wallMs = performance.now() - startedAt;
  const peakMemoryBytes = peakMemory();
  if (child.exitCode !== expectedExit) throw unexpected(args, child.exitCode, expectedExit, stderr);
  return { stdout, wallMs, peakMemoryBytes };
}

function unexpected(args: string[], exitCode: number | null, expected: number, stderr: string): OperatorError {
  const ended = exitCode === null ? 'was killed' : `ended with ${exitCode}`;
  return new OperatorError(
    3,
    `recon ${args.join(' ')} ${ended} instead of ${expected}: there are no figures.`,
    stderr.slice(-2000),
  );
}
