import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recon } from '../support/world.ts';

test('doctor and a run warn of a file with secrets that everybody may read, and say what mends it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recon-env-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'my env');
  const consult = async (content: string, mode: number) => {
    await writeFile(file, content);
    await chmod(file, mode);
    const { stdout } = await recon(['--env-file', file, 'doctor', '--offline', '-o', 'json']);
    const { diagnoses } = JSON.parse(stdout) as { diagnoses: { message: string; next: string }[] };
    return diagnoses.find(({ message }) => message.startsWith('Every user'));
  };
  const secrets = 'DATABASE_URL=postgres://recon:canary@127.0.0.1/app\nCIRCLE_API_KEY=\n';
  const warned = await consult(secrets, 0o644);
  expect(warned).toMatchObject({
    verdict: 'warning',
    message: `Every user of this machine may read ${file}, in which DATABASE_URL is.`,
  });
  const run = ['--env-file', file, 'run', '--dry-run'];
  const [line] = (await recon(run, { env: { DATABASE_URL: 'postgres://recon@127.0.0.1:1/app' } })).stderr.split('\n');
  expect(JSON.parse(line!)).toMatchObject({
    level: 'warn',
    event: 'env_file.exposed',
    message: `${warned!.message} ${warned!.next}`,
  });
  execFileSync('sh', ['-c', warned!.next]);
  for (const [content, mode] of [
    [secrets, 0o600],
    [secrets, 0o640], // the group of recon
    ['DATABASE_URL_FILE=/run/secrets/DATABASE_URL\nRECONCILIATION_ENVIRONMENT=staging\n', 0o644],
  ] as const)
    expect(await consult(content, mode), `${mode.toString(8)}: ${content}`).toBeUndefined();
});

test('doctor and a run say that an authority for Node comes too late in the file; in the environment it is in time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recon-env-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'env');
  const url = 'DATABASE_URL=postgres://recon@127.0.0.1:1/app\n';
  await writeFile(file, `${url}NODE_EXTRA_CA_CERTS=/etc/ssl/own.pem\n`, { mode: 0o600 });
  const consult = async (env: Record<string, string>) =>
    (await recon(['--env-file', file, 'doctor', '--offline'], { env, columns: 400 })).stdout;
  const said = `NODE_EXTRA_CA_CERTS has no effect in ${file}: Node reads it before recon reads the file.`;
  expect(await consult({})).toContain(said);
  expect(await consult({ NODE_EXTRA_CA_CERTS: '/etc/ssl/own.pem' })).not.toContain('NODE_EXTRA');
  const [line] = (await recon(['--env-file', file, 'run', '--dry-run'])).stderr.split('\n');
  expect(JSON.parse(line!)).toMatchObject({
    event: 'env_file.too_late',
    message: expect.stringContaining(said) as string,
  });
  await writeFile(file, url);
  expect(await consult({})).not.toContain('NODE_EXTRA');
});
