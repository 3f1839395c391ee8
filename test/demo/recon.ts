import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

export type Environment = Record<string, string | undefined>;

/** What the demo shows does not depend on the settings of whoever calls it. */
export function withoutSettings(environment: Environment): Environment {
  const settings = /^(RECONCILIATION_|CIRCLE_|ALPACA_|LOG_LEVEL$)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !settings.test(name)));
}

let running: ChildProcess | undefined;

/** Runs the real CLI on this terminal and answers its exit code. */
export async function recon(
  args: string[],
  env: Environment,
  results: 'stdout' | 'stderr' = 'stdout',
): Promise<number> {
  const bin = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));
  running = spawn(process.execPath, [bin, ...args], {
    env,
    stdio: ['inherit', results === 'stdout' ? 1 : 2, 'inherit'],
  });
  const [code, signal] = (await once(running, 'close')) as [number | null, NodeJS.Signals | null];
  running = undefined;
  return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
}

/** Ctrl-C reaches every process of the terminal by itself; other signals only us. False if no command runs. */
export function passOn(signal: NodeJS.Signals): boolean {
  if (running === undefined) return false;
  if (signal !== 'SIGINT' || !process.stdin.isTTY) running.kill(signal);
  return true;
}
