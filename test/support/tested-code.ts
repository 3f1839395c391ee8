import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a run of recon is made of. */
const parts = ['bin', 'src', 'sql', 'package-lock.json'];

/** The last commit that changed recon itself, `d5a9bc1`, and whether something was changed since. */
export function testedCommit(): string {
  const commit = git('log', '-1', '--format=%h');
  return git('status', '--porcelain') === '' ? commit : `${commit} and changes`;
}

function git(...args: string[]): string {
  const { status, stdout } = spawnSync('git', [...args, '--', ...parts], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}
