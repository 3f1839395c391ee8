import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = promisify(execFile);

/** Runs it and answers what it printed and its exit code. */
async function type(folder: string, program: string, args: string[], env: Record<string, string> = {}) {
  const child = command(program, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env } });
  return child.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: unknown) => error as { code: number; stdout: string },
  );
}

test('the package holds what a user needs and nothing else, and runs where it is installed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recon-package-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const packed = await command('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const allowed =
    /^(bin\/recon\.js|dist\/[\w-]+\.js|dist\/third-party-licenses\.txt|sql\/.+\.sql|deploy\/.+|(README|CHANGELOG|test\/README)\.md|crontab\.example|\.env\.example|package\.json)$/;
  expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
  expect(paths).toEqual(
    expect.arrayContaining(['sql/roles.sql', 'dist/third-party-licenses.txt', 'deploy/Dockerfile']),
  );
  expect((await stat(join(folder, filename))).size).toBeLessThan(1_000_000);

  // without a registry: whatever it needs is in it
  await command(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', '--prefix', folder, join(folder, filename)],
    { cwd: folder },
  );
  expect((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['recon']);

  const recon = join(folder, 'node_modules/.bin/recon');
  expect(await type(folder, recon, ['--help'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('recon doctor') as string,
  });
  expect((await type(folder, recon, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+( \([0-9a-f]{7,40}(-dirty)?\))?\n$/);
  const nowhere = await type(folder, recon, ['--env-file', 'nowhere', 'doctor']);
  expect([9, 78], 'Node’s own, else recon’s').toContain(nowhere.code);
  const doctor = await type(folder, recon, ['doctor']);
  expect(doctor).toMatchObject({ code: 2, stdout: expect.stringContaining('DATABASE_URL is not set') as string });
  const offline = await type(folder, recon, ['doctor', '--offline'], {
    DATABASE_URL: 'postgres://a:b@localhost/app',
    RECONCILIATION_CHECKS: 'deposits',
  });
  expect(offline).toMatchObject({ code: 0, stdout: expect.stringContaining('No problems') as string });
});
