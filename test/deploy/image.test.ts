import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));
const lines = readFileSync(`${root}deploy/Dockerfile`, 'utf8').split('\n');
const instructions = lines.filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.split(' '));
const lastStage = instructions.slice(instructions.findLastIndex(([word]) => word === 'FROM'));
const allowed = readFileSync(`${root}deploy/Dockerfile.dockerignore`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1));

describe('deploy/Dockerfile (no daemon builds it here)', () => {
  test('copies only what is there and what .dockerignore lets through', () => {
    const copied = instructions
      .filter(([word, from]) => word === 'COPY' && !from!.startsWith('--from'))
      .flatMap((words) => words.slice(1, -1));
    for (const path of copied) expect(existsSync(root + path), path).toBe(true);
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    expect(allowed).not.toContain('.env'); // only its example
  });

  test('holds what a run needs, and what recon schedule prints', () => {
    const copied = lastStage.filter(([word]) => word === 'COPY').map((words) => words.at(-1));
    expect(copied).toEqual(['./', 'bin', 'deploy', 'sql', 'dist']);
  });

  test('runs as nobody, without a shell, and gets its signals', () => {
    expect(lastStage).toContainEqual(['USER', '65532:65532']);
    const text = lines.join('\n');
    expect(text).not.toMatch(/:latest|^FROM [^:]+$/m);
    const entrypoint = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(text)![1]!) as string[];
    expect(entrypoint).toEqual(['/nodejs/bin/node', `/recon/${packageJson.bin.recon}`]);
  });
});
