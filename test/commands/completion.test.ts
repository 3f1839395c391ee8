import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { recon } from '../support/world.ts';

const run = promisify(execFile);

function has(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'exit 0']);
    return true;
  } catch {
    return false;
  }
}

async function scriptFor(shell: string): Promise<string> {
  const { exitCode, stdout, stderr } = await recon(['completion', shell]);
  expect([exitCode, stderr]).toEqual([0, '']);
  const folder = await mkdtemp(join(tmpdir(), 'recon-completion-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, `recon.${shell}`);
  await writeFile(file, stdout);
  return file;
}

/** What a shell offers where `line` stands, its last word unfinished. */
const offered: Record<string, (script: string, line: string) => Promise<string[]>> = {
  bash: async (script, line) => {
    const words = line.split(' ');
    const typed = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _recon; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return linesOf(await run('bash', ['-c', typed, 'bash', script, ...words]));
  },
  zsh: async (script, line) => {
    const words = line.split(' ');
    // the completion system itself wants a terminal: what it calls is called
    const typed = `compdef() { : }; compadd() { shift; print -l -- \${(M)@:#$last*} }; _files() { : }; source $1; shift; words=("$@"); CURRENT=$#; last=\${words[-1]}; _recon`;
    return linesOf(await run('zsh', ['-f', '-c', typed, 'zsh', script, ...words]));
  },
  fish: async (script, line) => {
    const { stdout } = await run('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line]);
    return linesOf({ stdout }).map((each) => each.split('\t')[0]!);
  },
};

function linesOf({ stdout }: { stdout: string }): string[] {
  return stdout.split('\n').filter((each) => each !== '');
}

describe.each(['bash', 'zsh', 'fish'])('completion for %s', (shell) => {
  const skipped = !has(shell);

  test.skipIf(skipped)(
    `offers what the command tree has${skipped ? ` (skipped: no ${shell} on this machine)` : ''}`,
    async () => {
      const script = await scriptFor(shell);
      const offers = async (line: string) => (await offered[shell]!(script, line)).sort();
      expect(await offers('recon ex')).toEqual(['exceptions']);
      expect(await offers('recon exceptions s')).toEqual(['show', 'snooze']);
      expect(await offers('recon run --type ')).toEqual(['daily', 'hourly', 'manual']);
      expect(await offers('recon run --type hourly --fail-on cr')).toEqual(['critical']);
      expect(await offers('recon run --check dep')).toEqual(['deposits']);
      expect(await offers('recon alerts list --state d')).toEqual(['dead', 'delivered']);
      expect(await offers('recon exceptions list --sever')).toEqual(['--severity']);
      expect(await offers('recon reports show -o h')).toEqual(['html']);
      expect(await offers('recon checks dep')).toEqual(['deposits']);
      expect(await offers('recon status --env')).toEqual(['--env-file']);
      expect(await offers('recon help e')).toEqual(['environment', 'exceptions', 'exit-codes']);
      expect(await offers('recon help exceptions s')).toEqual(['show', 'snooze']);
      expect(await offers('recon nonsense zz')).toEqual([]);
    },
  );
});

test('another shell: 64, with those that there are', async () => {
  const { exitCode, stdout, stderr } = await recon(['completion', 'powershell']);
  expect([exitCode, stdout]).toEqual([64, '']);
  expect(stderr).toContain('bash, zsh, fish');
});
