import { severities } from '../kinds.ts';

/**
 * Every environment variable that recon knows: the one table that configuration, `recon help environment`, README and
 * .env.example follow.
 */
export interface Variable {
  readonly name: string;
  readonly kind: 'text' | 'secret' | 'url' | 'flag' | 'choice' | 'number' | 'money' | 'duration' | 'list' | 'time';
  /** Shown as it is; absent: no default. */
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly meaning: string;
}

/** The lowest severity of an exception that a target is told about. */
function severityOf<const Name extends string>(name: Name, target: string) {
  const meaning = `Lowest severity of an exception that ${target} is told about`;
  return { name, kind: 'choice', default: 'high', choices: severities, meaning } as const;
}

/** What DATABASE_URL looks like, as help and errors say it: nobody's secret, also where somebody copied it. */
export const databaseUrlForm = 'postgres://user:password@host:port/database';

/** No variable of recon, but one that its users need: only the environment that Node is started in has it in time. */
export const ofNode = 'NODE_EXTRA_CA_CERTS';

export const variables = [
  {
    name: 'DATABASE_URL',
    kind: 'secret',
    meaning: `PostgreSQL with the ledger, the operational tables and our own, as ${databaseUrlForm}`,
  },
  {
    name: 'SOURCE_DATABASE_URL',
    kind: 'secret',
    meaning: 'Where the checks read, such as a streaming replica; unset: the database of DATABASE_URL',
  },
  {
    name: 'CORRECTION_DATABASE_URL',
    kind: 'secret',
    meaning: 'The same database as a role that may write into the host’s tables; unset: DATABASE_URL',
  },
  { name: 'CIRCLE_API_KEY', kind: 'secret', meaning: 'Circle API key, PREFIX:ID:SECRET; reading is enough' },
  { name: 'CIRCLE_BASE_URL', kind: 'url', default: 'https://api.circle.com', meaning: 'Circle’s API, test and live' },
  {
    name: 'CIRCLE_REQUESTS_PER_SECOND',
    kind: 'number',
    default: '10',
    meaning: 'Our share of Circle’s 20 requests a second',
  },
  { name: 'ALPACA_API_KEY', kind: 'secret', meaning: 'Alpaca Broker API key, or the client id with ALPACA_AUTH_URL' },
  { name: 'ALPACA_API_SECRET', kind: 'secret', meaning: 'Alpaca Broker API secret, or the client secret' },
  {
    name: 'ALPACA_BASE_URL',
    kind: 'url',
    default: 'https://broker-api.alpaca.markets',
    meaning: 'Alpaca’s Broker API; the sandbox is https://broker-api.sandbox.alpaca.markets',
  },
  {
    name: 'ALPACA_AUTH_URL',
    kind: 'url',
    meaning: 'Token endpoint for client credentials (https://authx.alpaca.markets/v1/oauth2/token); unset: HTTP Basic',
  },
  {
    name: 'ALPACA_REQUESTS_PER_SECOND',
    kind: 'number',
    default: '8',
    meaning: 'Alpaca’s limit is shared with your customers’ trading; the default is half of 1,000 a minute',
  },
  {
    name: 'RECONCILIATION_ENABLED',
    kind: 'flag',
    default: 'true',
    meaning: 'false: hourly and daily runs say so and exit 0; manual ones run',
  },
  {
    name: 'RECONCILIATION_ENVIRONMENT',
    kind: 'text',
    default: 'production',
    meaning: 'Shown in headers, so that nobody resolves in the wrong database',
  },
  {
    name: 'RECONCILIATION_CHECKS',
    kind: 'list',
    meaning: 'Checks that are on, separated by commas; unset: all',
  },
  {
    name: 'RECONCILIATION_SOURCE',
    kind: 'text',
    default: 'stack_service',
    meaning: 'Source mapping: the name of a folder of sql/source, or the path of your own, which contains a slash',
  },
  {
    name: 'RECONCILIATION_SCHEMA',
    kind: 'text',
    meaning: 'Schema of the reconciliation_* tables; unset: the database’s default schema',
  },
  {
    name: 'RECONCILIATION_GRACE_PERIOD',
    kind: 'duration',
    default: '5m',
    meaning: 'A record settled, or money moved by a custodian, less than this ago may still be unposted',
  },
  {
    name: 'RECONCILIATION_STUCK_AFTER',
    kind: 'duration',
    default: '24h',
    meaning: 'Deposits and conversion jobs must be final by then',
  },
  {
    name: 'RECONCILIATION_WITHDRAWAL_STUCK_AFTER',
    kind: 'duration',
    default: '72h',
    meaning: 'Withdrawals must be final by then',
  },
  {
    name: 'RECONCILIATION_ENTRIES_PER_TRANSACTION',
    kind: 'choice',
    default: 'any',
    choices: ['any', 'two'],
    meaning: 'two: a transaction without exactly two entries is a finding',
  },
  { name: 'RECONCILIATION_LOW_UP_TO', kind: 'money', default: '1', meaning: 'Severity low up to this amount' },
  { name: 'RECONCILIATION_MEDIUM_UP_TO', kind: 'money', default: '100', meaning: 'Severity medium up to this amount' },
  {
    name: 'RECONCILIATION_HIGH_UP_TO',
    kind: 'money',
    default: '1000',
    meaning: 'Severity high up to this amount, critical above',
  },
  {
    name: 'RECONCILIATION_CIRCLE_TOLERANCE',
    kind: 'money',
    default: '10',
    meaning: 'Difference in USDC at Circle that passes',
  },
  {
    name: 'RECONCILIATION_ALPACA_TOLERANCE',
    kind: 'money',
    default: '100',
    meaning: 'Difference in USD at Alpaca that passes',
  },
  {
    name: 'RECONCILIATION_ALPACA_MEASURE',
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'cash', 'buying_power'],
    meaning: 'What counts as money at Alpaca; auto: buying_power where the multiplier is 1, cash elsewhere',
  },
  {
    name: 'RECONCILIATION_CIRCLE_EXCLUDE',
    kind: 'list',
    meaning: 'Ids of Circle wallets that are left out, such as treasury wallets',
  },
  {
    name: 'RECONCILIATION_ALPACA_EXCLUDE',
    kind: 'list',
    meaning: 'Ids of Alpaca accounts that are left out, such as firm accounts',
  },
  {
    name: 'RECONCILIATION_RUN_TIMEOUT',
    kind: 'duration',
    meaning: 'Deadline of a whole run; unset: 10m hourly, 60m daily and manual',
  },
  {
    name: 'RECONCILIATION_REQUEST_TIMEOUT',
    kind: 'duration',
    default: '30s',
    meaning: 'Limit of one request to Circle or Alpaca',
  },
  {
    name: 'RECONCILIATION_HOURLY_INTERVAL',
    kind: 'number',
    default: '60',
    meaning: 'Expected minutes between hourly runs; the schedule itself is cron’s',
  },
  {
    name: 'RECONCILIATION_DAILY_RUN_TIME',
    kind: 'time',
    default: '02:00',
    meaning: 'Expected time of the daily run, HH:MM in UTC; the schedule itself is cron’s',
  },
  {
    name: 'RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY',
    kind: 'flag',
    default: 'false',
    meaning: 'Runs that look at everything correct what is provably wrong and small',
  },
  {
    name: 'RECONCILIATION_CORRECTION_MAX_PER_RUN',
    kind: 'money',
    default: '10',
    meaning: 'So much may one run move by its corrections, USDC and USD at par',
  },
  {
    name: 'RECONCILIATION_CORRECTION_MAX_PER_DAY',
    kind: 'money',
    default: '25',
    meaning: 'So much may all runs of the last 24 hours move by their corrections',
  },
  {
    name: 'RECONCILIATION_CORRECTION_MAX_OF_A_KIND',
    kind: 'number',
    default: '20',
    meaning: 'More low findings of a kind in one run have one cause: none of them is corrected, and it is alerted',
  },
  {
    name: 'RECONCILIATION_ALERT_WEBHOOK_URL',
    kind: 'secret',
    meaning: 'Where alerts are sent: a Slack webhook (known by its host) or any other that takes JSON',
  },
  {
    name: 'RECONCILIATION_ALERT_WEBHOOK_SECRET',
    kind: 'secret',
    meaning: 'Signs what is sent there (Standard Webhooks): whsec_…; two, separated by a comma, while it is changed',
  },
  severityOf('RECONCILIATION_ALERT_WEBHOOK_SEVERITY', 'that webhook'),
  { name: 'RECONCILIATION_ALERT_SLACK_URL', kind: 'secret', meaning: 'A Slack webhook, beside the other one' },
  severityOf('RECONCILIATION_ALERT_SLACK_SEVERITY', 'Slack'),
  {
    name: 'RECONCILIATION_ALERT_PAGERDUTY_KEY',
    kind: 'secret',
    meaning: 'Integration key of a PagerDuty service, Events API v2',
  },
  {
    name: 'RECONCILIATION_ALERT_PAGERDUTY_URL',
    kind: 'url',
    default: 'https://events.pagerduty.com/v2/enqueue',
    meaning: 'PagerDuty’s Events API; in the EU it is https://events.eu.pagerduty.com/v2/enqueue',
  },
  severityOf('RECONCILIATION_ALERT_PAGERDUTY_SEVERITY', 'PagerDuty'),
  {
    name: 'RECONCILIATION_ALERT_MAX_AGE',
    kind: 'duration',
    default: '3d',
    meaning: 'An alert that could not be delivered is given up at this age',
  },
  {
    name: 'PUSHGATEWAY_URL',
    kind: 'secret',
    meaning: 'Prometheus Pushgateway for the metrics; may hold user and password',
  },
  {
    name: 'LOG_LEVEL',
    kind: 'choice',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    meaning: 'What is logged on stderr',
  },
  {
    name: 'LOG_FORMAT',
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'json', 'ecs'],
    meaning: 'auto: plain lines on a terminal, else JSON as Datadog and Loki read it; ecs: JSON as Elastic reads it',
  },
] as const satisfies readonly Variable[];

export type VariableName = (typeof variables)[number]['name'];
