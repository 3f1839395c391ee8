import { spawnSync } from 'node:child_process';
import { test } from 'vitest';

/** Whether this machine has the program. */
function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** A test that wants these programs; without them it is skipped, and its name says so. */
export function testWith(programs: readonly string[]): (name: string, body: () => Promise<void>, ms?: number) => void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return test;
  return (name, body, ms) => {
    test.skip(`${name} [skipped: ${missing.join(' and ')} not installed; Debian has them as packages]`, body, ms);
  };
}
