import type { CronJob } from 'kubernetes-types/batch/v1.js';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { exitCodes } from '../../src/exit-codes.ts';
import { crontabOf } from '../../src/schedule/files.ts';
import { testWith } from '../support/installed.ts';
import { recon } from '../support/world.ts';

const deployed = (name: string) => readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
const read = (name: string) => deployed(`systemd/${name}`);

describe('systemd', () => {
  test('the service types what recon understands, and its exit codes are ours', async () => {
    const service = await read('recon@.service');
    const [, args] = /^ExecStart=\/usr\/bin\/env recon (.+)$/m.exec(service)!;
    for (const type of ['hourly', 'daily', 'manual'])
      expect((await recon(args!.replace('%i', type).split(' '))).exitCode).toBe(78); // DATABASE_URL is not set
    expect(service).not.toContain('SuccessExitStatus'); // a daily run that found the lock taken has failed, as in cron
    const [, success] = /^SuccessExitStatus=(.+)$/m.exec(await read('recon@hourly.service.d/another-run.conf'))!;
    expect(exitCodes.map(({ code, retry }) => `${code} ${retry}`)).toContain(`${success!} later`);
    const [, purge] = /^ExecStart=\/usr\/bin\/env recon (.+)$/m.exec(await read('recon@purge.service.d/purge.conf'))!;
    expect((await recon(purge!.split(' '))).exitCode).toBe(78);
  });

  testWith(['systemd-analyze'])('understands every unit; and does not understand a mistake in one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recon-systemd-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(new URL('../../deploy/systemd', import.meta.url), folder, { recursive: true });
    const instances = ['hourly', 'daily', 'purge'].flatMap((name) => [`recon@${name}.service`, `recon-${name}.timer`]);
    const verify = () => {
      const args = ['verify', '--man=no', ...instances, 'recon-failed@hourly.service'];
      const { stdout, stderr } = spawnSync('systemd-analyze', args, {
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
      });
      return `${stdout.toString()}${stderr.toString()}`;
    };
    expect(verify()).toBe('');
    const service = join(folder, 'recon@.service');
    await writeFile(service, (await readFile(service, 'utf8')).replace(/^OnFailure=/m, 'OnFailed='));
    expect(verify()).toContain('OnFailed');
  });

  test('a unit that failed is told by mail, with the end of its log', async () => {
    expect(await read('recon@.service')).toMatch(/^OnFailure=recon-failed@%i\.service$/m);
    const [, script] = /^ExecStart=\/bin\/sh -c '(.+)'$/m.exec(await read('recon-failed@.service'))!;
    expect(script).not.toMatch(/[$']/); // of which systemd, or its quotes, would make something else
    const typed = script!.replaceAll('%i', 'daily').replaceAll('%H', 'desk-7').replace('/usr/sbin/sendmail -t', 'cat');
    const journal = 'journalctl() { echo "log: $*"; }';
    const { stdout } = spawnSync('sh', ['-c', `${journal}; ${typed}`]);
    expect(stdout.toString()).toBe(
      'To: root\nSubject: recon@daily failed on desk-7\n\nlog: --no-pager --lines=60 --unit=recon@daily\n',
    );
  });

  test.each(['hourly', 'daily', 'purge'])('the %s timer starts that unit, in UTC', async (type) => {
    const timer = await read(`recon-${type}.timer`);
    expect(timer).toContain(`Unit=recon@${type}.service\n`);
    expect(timer).toMatch(/^OnCalendar=(Sun )?\S+ \S+ UTC$/m);
  });
});

describe('crontab.example', () => {
  test('mails what wants somebody and nothing else, and keeps the log of every run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recon-cron-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'recon'), '#!/bin/sh\necho "$CODE: $*"; exit "$CODE"\n', { mode: 0o755 });
    const crontab = crontabOf({ hourlyIntervalMs: 3_600_000, dailyRunTime: '02:00' });
    const codes = exitCodes.map(({ code }) => code);
    for (const [type, silent] of [
      ['hourly', [0, 4]],
      ['daily', [0]],
    ] as const) {
      const [, line] = new RegExp(`^(?:\\S+ ){5}(.* --type ${type} .*)$`, 'm').exec(crontab)!;
      /** What cron would mail. */
      const start = (code: number) => {
        const env = { PATH: `${folder}:/usr/bin:/bin`, CODE: String(code) };
        const { stdout, stderr } = spawnSync('sh', ['-c', line!.replaceAll('/var/log/recon', folder)], { env });
        return `${stdout.toString()}${stderr.toString()}`;
      };
      const mails = codes.map((code) => [code, start(code)] as const);
      expect(mails.filter(([, mail]) => mail === '').map(([code]) => code)).toEqual(silent);
      for (const [code, mail] of mails.filter(([, text]) => text !== ''))
        expect(mail).toMatch(new RegExp(`^0: .*--type ${type}[^]*\\n${code}: .*\\n$`));
      const log = await readFile(join(folder, `${type}.log`), 'utf8');
      expect(log.match(/^\d+(?=:)/gm)!.map(Number)).toEqual(codes);
    }
  });

  test('its logs are those that deploy/logrotate keeps small', async () => {
    const [, logs] = /^(\S+)\*\.log \{$/m.exec(await deployed('logrotate/recon'))!;
    const crontab = crontabOf({ hourlyIntervalMs: 3_600_000, dailyRunTime: '02:00' });
    expect(crontab.match(/>>\S+/g)).toEqual(['hourly', 'daily', 'purge'].map((name) => `>>${logs!}${name}.log`));
  });
});

describe('recon schedule print', () => {
  const times = (crontab: string) =>
    [...crontab.matchAll(/^((?:[\d*/,-]+ ){5}).*--type (\w+)/gm)].map(([, time, type]) => `${type!} ${time!.trim()}`);

  test.each([
    ['60', '02:00', '37 * * * *', '0 2 * * *'],
    ['15', '23:59', '6-59/15 * * * *', '59 23 * * *'],
    ['5', '00:05', '2-59/5 * * * *', '5 0 * * *'],
    ['120', '02:00', '37 */2 * * *', '0 2 * * *'],
    ['1440', '02:00', '37 0 * * *', '0 2 * * *'],
  ])('every %s minutes and at %s', async (interval, time, hourly, daily) => {
    const env = { RECONCILIATION_HOURLY_INTERVAL: interval, RECONCILIATION_DAILY_RUN_TIME: time };
    const crontab = await recon(['schedule', 'print'], { env });
    expect(times(crontab.stdout)).toEqual([`hourly ${hourly}`, `daily ${daily}`]);
    const apart = Number(interval) < 60 ? 'so often that it may find the daily' : 'at least 37 minutes after the daily';
    expect(crontab.stdout).toContain(`An hourly run comes ${apart} run`);
    expect(crontab).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('CRON_TZ=UTC\n') as string });

    const manifests = await recon(['schedule', 'print', '--format', 'kubernetes'], { env });
    expect(manifests.stdout).toContain(`It comes ${apart} run`);
    const documents = parseAllDocuments(manifests.stdout).map((document) => document.toJS() as CronJob);
    expect(documents.map(({ metadata, spec }) => `${metadata!.name!} ${spec!.schedule}`)).toEqual([
      `recon-hourly ${hourly}`,
      `recon-daily ${daily}`,
    ]);
  });

  test('with the defaults it writes crontab.example and the manifests as they are, and the timers say the same', async () => {
    const shippedFile = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
    const crontab = (await recon(['schedule', 'print'])).stdout;
    expect(crontab).toBe(await shippedFile('crontab.example'));
    const manifests = await recon(['schedule', 'print', '--format', 'kubernetes']);
    const [hourly, daily] = await Promise.all(
      ['hourly', 'daily'].map((type) => deployed(`kubernetes/base/${type}.yaml`)),
    );
    expect(manifests.stdout).toBe(`${hourly!}---\n${daily!}`);
    const timers = await Promise.all(['hourly', 'daily'].map((type) => read(`recon-${type}.timer`)));
    const minutes = timers.map((timer) => /^OnCalendar=\S+ (\S+):(\d\d):00 UTC$/m.exec(timer)!.slice(1));
    const typed = minutes.map(([hour, minute]) =>
      [minute!, hour!].map((field) => field.replace(/^0(?=\d)/, '')).join(' '),
    );
    expect(typed.map((time, index) => `${['hourly', 'daily'][index]!} ${time} * * *`)).toEqual(times(crontab));
  });

  test('Kubernetes ends a Job after both attempts have ended by the deadline of a run', async () => {
    const { stdout } = await recon(['schedule', 'print', '--format', 'kubernetes'], {
      env: { RECONCILIATION_RUN_TIMEOUT: '2h' },
    });
    expect(stdout.match(/(?<=activeDeadlineSeconds: )\d+/g)!.map(Number)).toEqual([
      2 * 7_200 + 600,
      2 * (7_200 + 900) + 600,
    ]);
  });

  test('a purge comes at the same time everywhere, and nowhere before somebody says so', async () => {
    const crontab = crontabOf({ hourlyIntervalMs: 3_600_000, dailyRunTime: '02:00' });
    const [, minute, hour, day] = /^#(\d+) (\d+) \* \* (\d) .* purge --yes /m.exec(crontab)!;
    expect([minute, hour, day]).toEqual(['11', '5', '0']);
    expect(await deployed('kubernetes/base/purge.yaml')).toContain(
      `\n  suspend: true\n  schedule: '${minute!} ${hour!} * * ${day!}'\n`,
    );
    expect(await read('recon-purge.timer')).toContain(`\nOnCalendar=Sun *-*-* 0${hour!}:${minute!}:00 UTC\n`);
  });

  /** The minutes of a day that a field of cron names, such as `7-59/15` of 0 to 59. */
  function named(field: string, last: number): number[] {
    const [range = '', step = '1'] = field.split('/');
    const [from = 0, to = field.includes('/') ? last : from] = range === '*' ? [0, last] : range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index).filter(
      (value) => (value - from) % Number(step) === 0,
    );
  }

  test('what is printed is the interval, through midnight too, or nothing is', () => {
    const printed = [];
    for (let minutes = 1; minutes <= 2880; minutes++) {
      const print = () => crontabOf({ hourlyIntervalMs: minutes * 60_000, dailyRunTime: '02:00' });
      if (minutes > 1440 || (minutes > 60 ? minutes % 60 > 0 || 1440 % minutes > 0 : 60 % minutes > 0)) {
        expect(print, String(minutes)).toThrow(`RECONCILIATION_HOURLY_INTERVAL=${minutes} cannot be written`);
        continue;
      }
      const [, minute, hour] = /hourly (\S+) (\S+) \* \* \*$/.exec(times(print())[0]!)!;
      const starts = named(hour!, 23).flatMap((h) => named(minute!, 59).map((m) => h * 60 + m));
      const gaps = starts.map((start, index) => (starts[index + 1] ?? starts[0]! + 1440) - start);
      expect(new Set(gaps), String(minutes)).toEqual(new Set([minutes]));
      printed.push(minutes);
    }
    expect(printed).toHaveLength(19); // 12 divide the hour, and 7 more the day in whole hours
  });

  test.each(['45', '90', '7', '2880'])('what cron has no words for is said: every %s minutes', async (interval) => {
    const { exitCode, stdout, stderr } = await recon(['schedule', 'print'], {
      env: { RECONCILIATION_HOURLY_INTERVAL: interval },
    });
    expect([exitCode, stdout]).toEqual([78, '']);
    expect(stderr).toContain(`RECONCILIATION_HOURLY_INTERVAL=${interval} cannot be written as a line of cron.`);
    const [, given] = /^Give one of ([\d, ]+); or /m.exec(stderr)!;
    const intervals = given!.split(', ').map((minutes) => Number(minutes) * 60_000);
    expect(intervals).toHaveLength(19);
    for (const hourlyIntervalMs of intervals)
      expect(() => crontabOf({ hourlyIntervalMs, dailyRunTime: '02:00' })).not.toThrow();
  });
});
