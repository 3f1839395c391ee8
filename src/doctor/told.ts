import type { Config } from '../config.ts';
import { whyNotReady } from '../metrics/pushgateway.ts';
import { ok, problem, warning, type Examination, type Opinion } from './examination.ts';

/** Whether what a run finds reaches anybody. Nothing is sent: `recon alerts test` does that. */
export const alerts: Examination = {
  topic: 'alerts',
  examine: ({ config }) => Promise.resolve([whoIsTold(config)]),
};

function whoIsTold({ alerts: { targets } }: Config): Opinion {
  if (targets.length === 0)
    return warning(
      'Nobody is told what a run finds.',
      'Set RECONCILIATION_ALERT_WEBHOOK_URL, or let the exit code of the runs reach somebody.',
    );
  const names = targets.map(({ name }) => name).join(', ');
  return ok(`Told are: ${names}. \`recon alerts test\` shows whether they take a message.`);
}

/** Whether the metrics have somewhere to go. */
export const metrics: Examination = {
  topic: 'metrics',
  async examine({ config: { pushgatewayUrl }, world }) {
    if (pushgatewayUrl === undefined) return [pushedNowhere];
    const { host } = new URL(pushgatewayUrl);
    const why = await whyNotReady(pushgatewayUrl, world);
    return why === undefined
      ? [ok(`The Pushgateway at ${host} is ready.`)]
      : [problem(`The Pushgateway at ${host} ${why}.`, 'Check PUSHGATEWAY_URL.')];
  },
};

/** What is known of the same without asking anybody. */
export const noMetrics: Examination = {
  topic: 'metrics',
  examine: ({ config }) => Promise.resolve(config.pushgatewayUrl === undefined ? [pushedNowhere] : []),
};

const pushedNowhere = warning(
  'The metrics are pushed nowhere: nobody is alerted when runs stop.',
  'Set PUSHGATEWAY_URL.',
);
