import { startAlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { pagerDutyKey, secrets as webhookSecrets } from '../support/alert-targets.ts';
import { startCircleSandbox } from '../support/circle-sandbox.ts';
import { alpacaKey, alpacaSecret, circleKey } from '../support/custodians.ts';
import { startServer, type SandboxRequest, type SandboxServer } from '../support/sandbox-server.ts';
import type { Holdings } from './books.ts';
import type { Moments } from './moments.ts';

const takes = {
  webhook: { status: 200, body: '' },
  pagerduty: { status: 202, body: '{"status":"success"}' },
  slack: { status: 200, body: 'ok' },
  gateway: { status: 200, body: '' },
};

/** Who knows the address may write there. */
const slackSecret = 'canary-of-the-slack-webhook';

type Target = keyof typeof takes;

export type Received = Record<Target, SandboxRequest[]>;

/** Everybody whom a run speaks to besides its database. */
export interface Others {
  /** Leads a run to them, without waiting between requests. */
  env: Record<string, string>;
  secrets: readonly string[];
  received: Received;
  /** What the custodians hold from now on. */
  hold: (holdings: Holdings) => void;
  /** Forgets what was received. */
  forget: () => void;
  close: () => Promise<void>;
}

/** Starts custodians that hold nothing, targets that take everything, and a Pushgateway. */
export async function startOthers(moments: Moments): Promise<Others> {
  const received: Received = { webhook: [], pagerduty: [], slack: [], gateway: [] };
  const [webhook, pagerduty, slack, gateway] = await Promise.all(
    (['webhook', 'pagerduty', 'slack', 'gateway'] as const).map((name) => startTarget(name, received[name])),
  );
  const circle = await startCircleSandbox({ apiKey: circleKey, rateLimit: undefined, wallets: [] });
  const alpaca = await startAlpacaSandbox({ key: alpacaKey, secret: alpacaSecret, rateLimit: undefined, accounts: [] });
  const servers = { webhook, pagerduty, slack, gateway, circle, alpaca } as Record<string, SandboxServer>;
  for (const [name, { faults }] of Object.entries(servers))
    faults.push({ path: /./, respond: (real, request) => moments.request(name, request, real) });
  return {
    env: variablesOf(servers),
    secrets: [circleKey, alpacaKey, alpacaSecret, slackSecret, pagerDutyKey, ...webhookSecrets],
    received,
    hold: ({ wallet, account }) => {
      circle.add(wallet);
      alpaca.add(account);
    },
    forget: () => {
      for (const list of Object.values(received)) list.length = 0;
    },
    close: async () => {
      await Promise.all(Object.values(servers).map((server) => server.close()));
    },
  };
}

function startTarget(name: Target, received: SandboxRequest[]): Promise<SandboxServer> {
  return startServer({
    rateLimit: undefined,
    handle: (request) => {
      received.push(request);
      return { headers: {}, ...takes[name] };
    },
    tooMany: () => ({ status: 429, headers: {}, body: '' }),
    headers: () => ({}),
  });
}

function variablesOf(servers: Record<string, SandboxServer>): Record<string, string> {
  const urlOf = (name: string) => servers[name]!.url;
  return {
    CIRCLE_BASE_URL: urlOf('circle'),
    CIRCLE_API_KEY: circleKey,
    CIRCLE_REQUESTS_PER_SECOND: '1000',
    ALPACA_BASE_URL: urlOf('alpaca'),
    ALPACA_API_KEY: alpacaKey,
    ALPACA_API_SECRET: alpacaSecret,
    ALPACA_REQUESTS_PER_SECOND: '1000',
    RECONCILIATION_ALERT_SLACK_URL: `${urlOf('slack')}/services/T000/B000/${slackSecret}`,
    RECONCILIATION_ALERT_PAGERDUTY_KEY: pagerDutyKey,
    RECONCILIATION_ALERT_PAGERDUTY_URL: `${urlOf('pagerduty')}/v2/enqueue`,
    RECONCILIATION_ALERT_WEBHOOK_URL: `${urlOf('webhook')}/hook`,
    RECONCILIATION_ALERT_WEBHOOK_SECRET: webhookSecrets.join(','),
    PUSHGATEWAY_URL: urlOf('gateway'),
    RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true',
    RECONCILIATION_REQUEST_TIMEOUT: '1s',
  };
}
