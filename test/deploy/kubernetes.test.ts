import type { CronJob, Job, JobSpec } from 'kubernetes-types/batch/v1.js';
import type { ConfigMap, Container, PodSpec, Secret } from 'kubernetes-types/core/v1.js';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/exit-codes.ts';
import { defaultTimeoutMs, defaultWaitMs } from '../../src/run/timeout.ts';
import { variables, type Variable } from '../../src/environment/variables.ts';
import { recon } from '../support/world.ts';
import { problemsOf, readManifests, readText, readYaml, type Manifest } from './manifests.ts';

const [hourly, daily, purge] = ['hourly.yaml', 'daily.yaml', 'purge.yaml'].map((file) => readYaml(file) as CronJob) as [
  CronJob,
  CronJob,
  CronJob,
];
const migrate = readYaml('migrate.yaml') as Job;
const jobs: [name: string, JobSpec][] = [
  ['hourly', hourly.spec!.jobTemplate.spec!],
  ['daily', daily.spec!.jobTemplate.spec!],
  ['migrate', migrate.spec!],
  ['purge', purge.spec!.jobTemplate.spec!],
];
const podOf = (job: JobSpec): PodSpec => job.template.spec!;
const containerOf = (job: JobSpec) => podOf(job).containers[0]!;

/** The same manifest with every occurrence replaced in its text. */
function broken(file: string, from: string, to: string): Manifest {
  const text = JSON.stringify(readYaml(file));
  if (!text.includes(from)) throw new Error(`${file} holds no ${from}`);
  return { file, content: JSON.parse(text.replaceAll(from, to)) as Manifest['content'] };
}

describe('the schemas of Kubernetes', () => {
  test('know every field of every manifest', () => {
    expect(problemsOf(readManifests())).toEqual([]);
  });

  test('refuse a broken copy of each', () => {
    const copies = [
      broken('config.yaml', '"data"', '"date"'),
      broken('daily.yaml', '"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"'),
      broken('hourly.yaml', '"concurrencyPolicy"', '"concurencyPolicy"'),
      broken('migrate.yaml', '"backoffLimit":1', '"backoffLimit":"1"'),
      broken('network-policy.yaml', '"podSelector"', '"podselector"'),
      broken('purge.yaml', '"suspend":true', '"suspend":"yes"'),
      broken('secret-migrate.example.yaml', '"stringData"', '"stringdata"'),
      broken('secret-purge.example.yaml', '"stringData"', '"stringdata"'),
      broken('secret.example.yaml', '"stringData"', '"stringdata"'),
      broken('service-account.yaml', 'false', '"no"'),
    ];
    const refused = new Set(problemsOf(copies).map((problem) => problem.split(':')[0]));
    expect([...refused].sort()).toEqual(readManifests().map(({ file }) => file));
  });

  test('all are applied but the examples of the secrets', () => {
    const { resources } = readYaml('kustomization.yaml') as { resources: string[] };
    expect(
      [...resources, 'secret-migrate.example.yaml', 'secret-purge.example.yaml', 'secret.example.yaml'].sort(),
    ).toEqual(readManifests().map(({ file }) => file));
  });
});

describe('the manifests follow the source', () => {
  test.each(jobs)('%s: what trying again cannot mend is not tried again', (_name, job) => {
    const [ignored, failed] = job.podFailurePolicy!.rules;
    expect(ignored).toEqual({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] });
    const { containerName, operator, values } = failed!.onExitCodes!;
    expect([failed!.action, operator, containerName]).toEqual(['FailJob', 'In', containerOf(job).name]);
    const hopeless = exitCodes.filter(({ code, retry }) => retry === 'no' || code === 4).map(({ code }) => code);
    expect(values).toEqual(hopeless);
    expect(job.backoffLimit).toBe(1); // an incomplete run is tried once more
    expect(podOf(job).restartPolicy).toBe('Never'); // the policy asks for it
  });

  test.each(jobs)('%s: its arguments are understood', async (_name, job) => {
    const { exitCode, stderr } = await recon(containerOf(job).args!);
    expect(exitCode, stderr).toBe(78); // DATABASE_URL is not set
  });

  test('a run ends by its own deadline, both attempts of it, before Kubernetes ends it without a report', () => {
    for (const [name, cronJob] of [
      ['hourly', hourly],
      ['daily', daily],
    ] as const) {
      const job = cronJob.spec!.jobTemplate.spec!;
      const attempt = (defaultTimeoutMs[name] + defaultWaitMs[name]) / 1000;
      expect(job.activeDeadlineSeconds, name).toBeGreaterThan(attempt * (job.backoffLimit! + 1));
      expect(cronJob.spec).toMatchObject({ concurrencyPolicy: 'Forbid', timeZone: 'Etc/UTC' });
      expect(cronJob.spec!.startingDeadlineSeconds).toBeGreaterThan(0);
      expect(podOf(job).terminationGracePeriodSeconds).toBeGreaterThan(10);
    }
  });

  test('every variable exists, and every secret is a file that the secret holds', () => {
    const { data } = readYaml('config.yaml') as ConfigMap;
    const { stringData } = readYaml('secret.example.yaml') as Secret;
    const known = (variables as readonly Variable[]).flatMap(({ name, kind }) =>
      kind === 'secret' ? [name, `${name}_FILE`] : [name],
    );
    expect(known).toEqual(expect.arrayContaining(Object.keys(data!)));
    const { mountPath } = containerOf(jobs[0]![1]).volumeMounts![0]!;
    const files = Object.entries(data!).filter(([name]) => name.endsWith('_FILE'));
    expect(files).toEqual(Object.keys(stringData!).map((name) => [`${name}_FILE`, `${mountPath}/${name}`]));
    const shown = (variables as readonly Variable[]).filter(({ name }) => name in data!);
    expect(shown.filter(({ kind }) => kind === 'secret')).toEqual([]);
  });

  test('what is commented out is as well: who is told', () => {
    const known = (variables as readonly Variable[]).map(({ name }) => name);
    const named = (file: string, pattern: RegExp) => [...readText(file).matchAll(pattern)].map(([, name]) => name!);
    const files = named('config.yaml', /^ {2}# (\w+)_FILE: \/run\/secrets\/recon\/\1$/gm);
    expect(files.length).toBeGreaterThan(3);
    expect(known).toEqual(expect.arrayContaining(files));
    expect(named('secret.example.yaml', /^ {2}# ([A-Z_]+): /gm)).toEqual(files);
    const overlay = readText('../overlays/example/kustomization.yaml');
    const added = [...overlay.matchAll(/^ *(# )? +path: \/data\/(\w+)_FILE\n/gm)];
    expect(added.length).toBeGreaterThan(0);
    expect(files).toEqual(expect.arrayContaining(added.map(([, , name]) => name!)));
    const { stringData } = readYaml('secret.example.yaml') as Secret;
    const isSet = added.flatMap(([, comment, name]) => (comment === undefined ? [name!] : []));
    expect(Object.keys(stringData!)).toEqual(expect.arrayContaining(isSet));
    const authority = '/run/secrets/recon/ca.crt';
    for (const text of [overlay, readText('config.yaml')]) expect(text).toContain(`: ${authority}\n`);
    expect(readText('secret.example.yaml')).toContain('\n  # ca.crt: |\n');
  });

  test.each([
    ['migrate', migrate.spec!],
    ['purge', purge.spec!.jobTemplate.spec!],
  ])('the Job of %s takes the database’s URL from its own secret, all else from that of the runs', (name, job) => {
    const { stringData, metadata } = readYaml(`secret-${name}.example.yaml`) as Secret;
    const { env, volumeMounts } = containerOf(job);
    const [runs, own] = podOf(job).volumes!.map(({ secret }) => secret!.secretName);
    expect([runs, own]).toEqual(['recon', metadata!.name]);
    expect(Object.keys(stringData!).map((name) => `${volumeMounts![1]!.mountPath}/${name}`)).toEqual([env![0]!.value]);
    expect(env!.map(({ name }) => name)).toEqual(['DATABASE_URL_FILE']);
  });

  test.each(jobs)(
    '%s: satisfies the restricted profile of Pod Security, and differs in its arguments and its secret only',
    (_name, job) => {
      expect(podOf(job)).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      const container = containerOf(job);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({ requests: { memory: '128Mi' }, limits: { memory: '256Mi' } });
      const alike = (own: Container) => ({ ...own, args: [], env: [], volumeMounts: own.volumeMounts![0] });
      expect(alike(container)).toEqual(alike(containerOf(jobs[0]![1])));
    },
  );
});
