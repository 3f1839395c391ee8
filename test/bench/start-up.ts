import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { figureOf, timeOf, type Figure } from './figures.ts';

export interface StartUp {
  recon_version_ms: Figure;
  node_ms: Figure;
}

/** `recon --version` against a Node that does nothing, in turns. */
export async function measureStartUp(times = 20): Promise<StartUp> {
  const bin = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));
  const recon: number[] = [];
  const node: number[] = [];
  for (let time = -1; time < times; time++) {
    const taken = [await timeOf(() => start([bin, '--version'])), await timeOf(() => start(['-e', '0']))] as const;
    if (time < 0) continue; // the files were not in memory
    recon.push(taken[0]);
    node.push(taken[1]);
  }
  return { recon_version_ms: figureOf(recon), node_ms: figureOf(node) };
}

async function start(args: string[]): Promise<void> {
  await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'close');
}
