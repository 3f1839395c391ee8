import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asCalled, forShell } from '../src/shell.ts';
import { testDatabase } from './support/database.ts';
import { recon, withoutCustodians } from './support/world.ts';

/** What a shell makes of a line. */
function wordsOf(line: string): string[] {
  return execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

test.each(['/etc/recon/env', 'my env', "Ada's", '$HOME', '*', '', '~', '-x;y', '`id`'])('one word: %s', (word) => {
  expect(wordsOf(`${forShell(word)} end`)).toEqual([word, 'end']);
});

describe('with --env-file', () => {
  test('every command that reads the environment is called as this one was, and nothing else', async () => {
    const { stdout } = await recon(['--help']);
    const commands = [.../\nCommands:\n([^]*?)\n\n/.exec(stdout)![1]!.matchAll(/^ {2}([a-z]+)/gm)].map(
      ([, name]) => name!,
    );
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      const said = asCalled(`Run \`recon ${command}\`.`, 'the env');
      expect(said.includes(`\`recon --env-file 'the env' ${command}\``), said).toBe(
        !['help', 'completion'].includes(command),
      );
    }
    const prose = 'recon: recon checks what recon_reader may read; recon runs.';
    expect(asCalled(prose, 'env').replace('recon --env-file env checks', 'recon checks')).toBe(prose);
    const names = 'The lock "recon metrics public" is held; at file:///opt/recon run/x, /opt/recon run/x.';
    expect(asCalled(names, 'env')).toBe(names);
    expect(asCalled('recon status', undefined)).toBe('recon status');
    expect(asCalled('recon status', '\u001b[2J')).toBe("recon --env-file '\\u001b[2J' status");
  });

  test('what status, doctor and a mistake say to do next works as it is, pasted', async () => {
    const { url } = await testDatabase();
    const folder = await mkdtemp(join(tmpdir(), "recon ada's "));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'env');
    await writeFile(file, `DATABASE_URL=${url}\nRECONCILIATION_CHECKS=${withoutCustodians}\nLOG_LEVEL=silent\n`);
    const nextAfter = async (...argv: string[]) => {
      const { stdout, stderr } = await recon(['--env-file', file, ...argv], { now: new Date(), asOf: null });
      const [, next] = /(?:^ {2}|`|Next: )(recon [^`;\n]+)/m.exec(`${stdout.split('\nnext\n').at(-1)!}${stderr}`)!;
      return wordsOf(next!).slice(1);
    };
    expect(await nextAfter('reports', 'show')).toEqual(['--env-file', file, 'run']);
    expect(await nextAfter('doctor', '--offline')).toEqual(['--env-file', file, 'doctor']);
    const pasted = await nextAfter('status');
    expect(pasted).toEqual(['--env-file', file, 'run', '--type', 'daily']);
    const { stdout: json } = await recon(['--env-file', file, 'status', '-o', 'json'], { now: new Date(), asOf: null });
    const { next } = JSON.parse(json) as { next: { command: string }[] };
    expect(
      next.map(({ command }) => wordsOf(command)),
      'for a machine too',
    ).toEqual([['recon', ...pasted]]);
    expect(await recon(pasted, { now: new Date(), asOf: null })).toMatchObject({ exitCode: 0 });
    const ofPsql = () =>
      asCalled('recon exceptions show 3f2a91bc --sql | psql "$DATABASE_URL"', file).split(' | psql ')[1]!;
    expect(wordsOf(ofPsql())).toEqual([url]);
    await writeFile(join(folder, 'url'), `${url}\n`);
    await writeFile(file, `DATABASE_URL_FILE=${join(folder, 'url')}\n`);
    expect(wordsOf(ofPsql()), 'a secret that stands in a file of its own').toEqual([url]);
  });
});
