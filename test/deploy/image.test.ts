import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const lines = readFileSync(`${root}deploy/Dockerfile`, 'utf8').split('\n');
const instructions = lines.filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.split(' '));
const lastStage = instructions.slice(instructions.findLastIndex(([word]) => word === 'FROM'));
const allowed = readFileSync(`${root}deploy/Dockerfile.dockerignore`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1));

/** Each stage in a folder of its own, the last one's is the answer; `npm ci` is that of this checkout. */
async function carryOut(folder: string): Promise<string> {
  let stage = folder;
  for (const [word, ...words] of instructions) {
    if (word === 'FROM') stage = await mkdtemp(join(folder, `${words.at(-1)!.split('/').at(-1)!}-`));
    if (word === 'RUN' && words.join(' ') === 'npm ci --ignore-scripts')
      await symlink(`${root}node_modules`, join(stage, 'node_modules'));
    else if (word === 'RUN')
      await run('sh', ['-c', words.join(' ')], { cwd: stage, env: { ...process.env, RECON_COMMIT: 'abc1234' } });
    if (word === 'COPY') await copy(words, stage, folder);
  }
  return stage;
}

/** `COPY --from=build /recon/dist dist`, `COPY src src`, `COPY one two ./` */
async function copy(words: string[], stage: string, folder: string): Promise<void> {
  const [, origin] = /^--from=(.+)$/.exec(words[0]!) ?? [];
  const built = (await readdir(folder)).find((name) => origin !== undefined && name.startsWith(`${origin}-`));
  const paths = words.slice(built === undefined ? 0 : 1, -1);
  const target = words.at(-1)!;
  for (const path of paths) {
    const from = built === undefined ? join(root, path) : join(folder, built, path.replace('/recon/', ''));
    await cp(from, join(stage, target === './' ? path : target), { recursive: true });
  }
}

describe('deploy/Dockerfile (no daemon builds it here)', () => {
  test('copies only what is there and what .dockerignore lets through', () => {
    const copied = instructions
      .filter(([word, from]) => word === 'COPY' && !from!.startsWith('--from'))
      .flatMap((words) => words.slice(1, -1));
    for (const path of copied) expect(existsSync(root + path), path).toBe(true);
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    expect(allowed).not.toContain('.env'); // only its example
  });

  test('its steps, carried out here, make a recon that finds all that it reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recon-image-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const image = await carryOut(folder);
    const types = async (...args: string[]) =>
      (await run(process.execPath, ['bin/recon.js', ...args], { cwd: image })).stdout;
    expect(await types('--version')).toBe(`${packageJson.version} (abc1234)\n`);
    expect(await types('schedule', 'print')).toContain('run --type daily');
    expect(await types('schedule', 'print', '--format', 'kubernetes')).toContain('kind: CronJob');
    expect(await types('checks', 'deposits', '--sql')).toContain('select');
    expect((await readdir(image)).sort()).toEqual(
      ['.env.example', 'bin', 'crontab.example', 'deploy', 'dist', 'package.json', 'sql'].sort(),
    );
  });

  test('runs as nobody, without a shell, and gets its signals', () => {
    expect(lastStage).toContainEqual(['USER', '65532:65532']);
    const text = lines.join('\n');
    expect(text).not.toMatch(/:latest|^FROM [^:]+$/m);
    const entrypoint = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(text)![1]!) as string[];
    expect(entrypoint).toEqual(['/nodejs/bin/node', `/recon/${packageJson.bin.recon}`]);
  });
});
