import type { CronJob, Job, JobSpec } from 'kubernetes-types/batch/v1.js';
import type { ConfigMap, PodSpec, Secret } from 'kubernetes-types/core/v1.js';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/exit-codes.ts';
import { defaultTimeoutMs } from '../../src/run/timeout.ts';
import { variables, type Variable } from '../../src/environment/variables.ts';
import { recon } from '../support/world.ts';
import { problemsOf, readManifests, readYaml, type Manifest } from './manifests.ts';

const [hourly, daily] = ['hourly.yaml', 'daily.yaml'].map((file) => readYaml(file) as CronJob) as [CronJob, CronJob];
const migrate = readYaml('migrate.yaml') as Job;
const jobs: [name: string, JobSpec][] = [
  ['hourly', hourly.spec!.jobTemplate.spec!],
  ['daily', daily.spec!.jobTemplate.spec!],
  ['migrate', migrate.spec!],
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
      broken('secret.example.yaml', '"stringData"', '"stringdata"'),
      broken('service-account.yaml', 'false', '"no"'),
    ];
    const refused = new Set(problemsOf(copies).map((problem) => problem.split(':')[0]));
    expect([...refused].sort()).toEqual(readManifests().map(({ file }) => file));
  });

  test('all are applied but the example of the secret', () => {
    const { resources } = readYaml('kustomization.yaml') as { resources: string[] };
    expect([...resources, 'secret.example.yaml'].sort()).toEqual(readManifests().map(({ file }) => file));
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
    const waitForAnother = { hourly: 0, daily: 900 };
    for (const [name, cronJob] of [
      ['hourly', hourly],
      ['daily', daily],
    ] as const) {
      const job = cronJob.spec!.jobTemplate.spec!;
      const attempt = defaultTimeoutMs[name] / 1000 + waitForAnother[name];
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

  test.each(jobs)(
    '%s: satisfies the restricted profile of Pod Security, and differs in its arguments only',
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
      expect({ ...container, args: [] }).toEqual({ ...containerOf(jobs[0]![1]), args: [] });
    },
  );
});
