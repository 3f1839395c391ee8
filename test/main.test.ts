import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { recon, reconIn, testWorld } from './support/world.ts';

describe('the command line', () => {
  test('says its version', async () => {
    expect(await recon(['--version'])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test.each([
    [[], 'Usage: recon [options] [command]'],
    [['rnu'], "recon: unknown command 'rnu'. Did you mean run?\n`recon --help` shows how it is called.\n"],
    [['--verbos'], "unknown option '--verbos'"],
    [['--versio'], 'Did you mean --version?'],
    [['exceptions', 'list', '--sev', 'high'], "recon: unknown option '--sev'. Did you mean --severity?\n"],
    [['exceptions', 'list', '--env-fil=x'], "unknown option '--env-fil=x'. Did you mean --env-file?\n"],
    [['exceptions', 'show', 'grace'], "recon: <id> cannot be 'grace'. It must be an id or its first characters"],
    [['exceptions', 'list', '-L', 'x'], "recon: --limit cannot be 'x'. It must be a whole number above 0"],
    [['exceptions'], 'Usage: recon exceptions'],
    [['exceptions', 'lst'], 'Did you mean list?'],
    [['exceptions'], 'recon: No command was given.'],
    [['reports', 'show', 'a', 'b'], 'recon: too many arguments'],
    [['migrate', 'dwon'], "recon: unknown command 'dwon'. Did you mean down?\n`recon migrate --help` shows"],
    [['exceptions', 'resolve', 'abcdef12', '--note', '--yes'], 'recon: --note needs a value, and --yes is a flag.\n`'],
    [['exceptions', 'resolve', 'abcdef12', '--note', '-y'], 'recon: --note needs a value, and -y is a flag.\n`'],
    [['migrate', 'up', 'stauts'], "recon: too many arguments for 'up'. Expected 0 arguments but got 1.\n`"],
    [['corrections', 'stop'], 'recon: --note <text> is needed.\n`recon corrections stop --help`'],
  ])('%s is a usage error: 64, and nothing on stdout', async (argv, sentence) => {
    const { exitCode, stdout, stderr } = await recon(argv);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/recon: exit 64\n$/);
    expect(stderr).not.toContain('error:');
  });

  test('a bug ends with its stack and 1, without a secret', async () => {
    const world = testWorld({ env: { DATABASE_URL: 'postgres://recon:canary-password@127.0.0.1:1/app' } });
    world.now = () => {
      throw new TypeError('the clock of postgres://recon:canary-password@127.0.0.1:1/app broke');
    };
    const { exitCode, stdout, stderr } = await reconIn(world, ['run', '--since', '1d']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^recon: This is a bug in recon; please report it with these lines\.\nTypeError: the clock of \[secret\] broke\n +at /,
    );
    expect(stderr).toMatch(/recon: exit 1\n$/);
  });

  test('a mistake is told in whole words on a terminal, and on one line in a log', async () => {
    const argv = ['run', '--since', 'the-day-before-yesterday-or-so'];
    const env = { DATABASE_URL: 'postgres://recon@127.0.0.1:1/app' };
    const { stderr } = await recon(argv, { env, terminal: true, columns: 60 });
    expect(stderr).toBe(
      'recon: --since "the-day-before-yesterday-or-so" is not a\n       time.\nGive 7d, 2026-11-01 (UTC) or 2026-11-01T08:30:00Z.\nrecon: exit 64\n',
    );
    const { stderr: inLog } = await recon(argv, { env });
    expect(inLog).toBe(stderr.replace('\n       ', ' '));
  });

  test('a signal that came before anything began', async () => {
    const world = testWorld({ env: { DATABASE_URL: 'postgres://recon@127.0.0.1:1/app' } });
    world.interrupt('SIGTERM');
    expect(await reconIn(world, ['run'])).toMatchObject({ exitCode: 143, stdout: '' });
  });
});
