import type { z } from 'zod';
import type { TargetConfig } from './alerts/target.ts';
import type { CheckName } from './checks/names.ts';
import { wrongWithoutTls } from './environment/database-url.ts';
import { readTexts } from './environment/texts.ts';
import type { Money } from './money.ts';
import { OperatorError } from './operator-error.ts';
import { plain } from './plain.ts';
import type { Schedule } from './schedule/schedule.ts';
import { values, type Values } from './environment/values.ts';
import { variables, type Variable, type VariableName } from './environment/variables.ts';
import type { World } from './world.ts';

/** What the environment says, checked once. Durations in milliseconds, money as decimals, secrets as they are. */
export interface Config {
  databaseUrl: string;
  /** Where the checks read; the same, where no other is named. */
  sourceDatabaseUrl: string;
  schema: string | undefined;
  source: string;
  enabled: boolean;
  environment: string;
  /** The checks that are on, in the registry's order. */
  checks: readonly CheckName[];
  gracePeriodMs: number;
  stuckAfterMs: number;
  withdrawalStuckAfterMs: number;
  entriesPerTransaction: 'any' | 'two';
  severityUpTo: { low: Money; medium: Money; high: Money };
  runTimeoutMs: number | undefined;
  requestTimeoutMs: number;
  /** When runs are expected; they are started by others. */
  schedule: Schedule;
  circle: CircleConfig;
  alpaca: AlpacaConfig;
  alerts: AlertConfig;
  /** May hold user and password. */
  pushgatewayUrl: string | undefined;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  logFormat: 'auto' | 'json' | 'ecs';
  corrections: CorrectionConfig;
}

export interface CorrectionConfig {
  /** Whether runs correct by themselves. */
  automatic: boolean;
  /** The same database as `databaseUrl`, perhaps as another role. */
  databaseUrl: string;
  /** The variable that it comes from. */
  variable: 'CORRECTION_DATABASE_URL' | 'DATABASE_URL';
  /** What runs may move by themselves, in one run and in 24 hours. */
  perRun: Money;
  perDay: Money;
  /** More low findings of one kind in a run are corrected by nobody. */
  ofAKind: number;
}

export interface CircleConfig {
  baseUrl: string;
  apiKey: string | undefined;
  requestsPerSecond: number;
  tolerance: Money;
  exclude: ReadonlySet<string>;
}

export interface AlpacaConfig {
  baseUrl: string;
  authUrl: string | undefined;
  apiKey: string | undefined;
  apiSecret: string | undefined;
  requestsPerSecond: number;
  tolerance: Money;
  measure: 'auto' | 'cash' | 'buying_power';
  exclude: ReadonlySet<string>;
}

export interface AlertConfig {
  targets: readonly TargetConfig[];
  /** What could not be delivered is given up at this age. */
  maxAgeMs: number;
}

/**
 * Checks the whole environment and reports every problem at once: throws an OperatorError (78) that names each
 * variable and what it should be, without the value of a secret.
 */
export function parseConfig(env: World['env']): Config {
  const { texts, problems } = readTexts(env);
  const parsed = values.check(compare).safeParse(texts);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map(({ path: [name], message }) => problemWith(String(name), message, env)));
  else problems.push(...inTheClear(parsed.data, env));
  if (problems.length > 0 || !parsed.success)
    throw new OperatorError(
      78,
      problems.join('\n'),
      'Run `recon help environment` for every variable and its default.',
    );
  return toConfig(parsed.data);
}

/** The same for what looks at no database: whoever asks may have none. */
export function parseConfigWithoutDatabase(env: World['env']): Config {
  const DATABASE_URL = 'postgres://localhost/recon?sslmode=disable';
  return parseConfig({ ...env, DATABASE_URL, DATABASE_URL_FILE: undefined });
}

function inTheClear(value: Values, env: World['env']): string[] {
  return (['DATABASE_URL', 'SOURCE_DATABASE_URL', 'CORRECTION_DATABASE_URL'] as const).flatMap((name) => {
    const { [name]: url } = value;
    const message = url === undefined ? undefined : wrongWithoutTls(url, env);
    return message === undefined ? [] : [problemWith(name, message, env)];
  });
}

/** Told of the variable that was set, a secret's file where that is it; with the value where nobody keeps a secret in such. */
function problemWith(name: string, message: string, env: World['env']): string {
  const { kind } = variables.find((variable) => variable.name === name) ?? {};
  const [value, file] = [name, `${name}_FILE`].map((each) => env[each]?.trim() ?? '') as [string, string];
  if (kind === 'secret' && value === '' && file !== '') return `${name}_FILE (its content) ${ended(message)}`;
  const isShown = shownKinds.includes(kind) && value !== '' && value.length <= shownMax;
  return `${name} ${ended(message)}${isShown ? ` It is "${plain(value)}".` : ''}`;
}

/** Not of a text or a URL: somebody may have pasted more into it than belongs there, and no number is long. */
const shownKinds: readonly (Variable['kind'] | undefined)[] = ['flag', 'choice', 'number', 'money', 'duration', 'time'];
const shownMax = 20;

/** With the full stop that most messages leave to whoever makes a sentence of them. */
function ended(message: string): string {
  return message.endsWith('?') || message.endsWith('.') ? message : `${message}.`;
}

/** Holds the variables against one another, once none of them is wrong by itself. */
function compare({ value, issues }: z.core.ParsePayload<Values>): void {
  if (issues.length > 0) return;
  const found = rules.flatMap((rule) => rule(value) ?? []);
  for (const { name, message } of found) issues.push({ code: 'custom', input: value, path: [name], message });
}

/** What is wrong with several variables together, told of one of them. */
type Rule = (value: Values) => { name: VariableName; message: string } | undefined;

const rules: readonly Rule[] = [
  (value) => falling(value, 'RECONCILIATION_LOW_UP_TO', 'RECONCILIATION_MEDIUM_UP_TO'),
  (value) => falling(value, 'RECONCILIATION_MEDIUM_UP_TO', 'RECONCILIATION_HIGH_UP_TO'),
  ({ RECONCILIATION_ALERT_WEBHOOK_URL: webhook, RECONCILIATION_ALERT_SLACK_URL: slack }) =>
    webhook !== undefined && isSlack(webhook) && slack !== undefined
      ? {
          name: 'RECONCILIATION_ALERT_SLACK_URL',
          message: 'is set, and RECONCILIATION_ALERT_WEBHOOK_URL names Slack too: unset one of them',
        }
      : undefined,
];

type Limit = 'RECONCILIATION_LOW_UP_TO' | 'RECONCILIATION_MEDIUM_UP_TO' | 'RECONCILIATION_HIGH_UP_TO';

/** Two limits of severity that do not rise, told of the one that somebody has set. */
function falling(value: Values, lower: Limit, upper: Limit): ReturnType<Rule> {
  if (!value[lower].greaterThan(value[upper])) return undefined;
  const usual = variables.find(({ name }) => name === lower) as Variable | undefined;
  return value[lower].equals(usual?.default ?? NaN)
    ? { name: upper, message: `must not be below ${lower}, which is ${value[lower].toString()}` }
    : { name: lower, message: `must not be above ${upper}, which is ${value[upper].toString()}` };
}

function toConfig(value: Values): Config {
  return {
    ...booksOf(value),
    ...judgementOf(value),
    enabled: value.RECONCILIATION_ENABLED,
    environment: value.RECONCILIATION_ENVIRONMENT,
    runTimeoutMs: value.RECONCILIATION_RUN_TIMEOUT,
    requestTimeoutMs: value.RECONCILIATION_REQUEST_TIMEOUT,
    schedule: {
      hourlyIntervalMs: value.RECONCILIATION_HOURLY_INTERVAL,
      dailyRunTime: value.RECONCILIATION_DAILY_RUN_TIME,
    },
    circle: circleOf(value),
    alpaca: alpacaOf(value),
    corrections: correctionsOf(value),
    alerts: { targets: [...targetsOf(value)], maxAgeMs: value.RECONCILIATION_ALERT_MAX_AGE },
    pushgatewayUrl: value.PUSHGATEWAY_URL,
    logLevel: value.LOG_LEVEL,
    logFormat: value.LOG_FORMAT,
  };
}

/** Where the books are, and recon's own tables. */
function booksOf(value: Values) {
  return {
    databaseUrl: value.DATABASE_URL,
    sourceDatabaseUrl: value.SOURCE_DATABASE_URL ?? value.DATABASE_URL,
    schema: value.RECONCILIATION_SCHEMA,
    source: value.RECONCILIATION_SOURCE,
  };
}

/** What is compared, and how what is found is judged. */
function judgementOf(value: Values) {
  return {
    checks: value.RECONCILIATION_CHECKS,
    gracePeriodMs: value.RECONCILIATION_GRACE_PERIOD,
    stuckAfterMs: value.RECONCILIATION_STUCK_AFTER,
    withdrawalStuckAfterMs: value.RECONCILIATION_WITHDRAWAL_STUCK_AFTER,
    entriesPerTransaction: value.RECONCILIATION_ENTRIES_PER_TRANSACTION,
    severityUpTo: {
      low: value.RECONCILIATION_LOW_UP_TO,
      medium: value.RECONCILIATION_MEDIUM_UP_TO,
      high: value.RECONCILIATION_HIGH_UP_TO,
    },
  };
}

function correctionsOf(value: Values): CorrectionConfig {
  const own = value.CORRECTION_DATABASE_URL;
  return {
    automatic: value.RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY,
    databaseUrl: own ?? value.DATABASE_URL,
    variable: own === undefined ? 'DATABASE_URL' : 'CORRECTION_DATABASE_URL',
    perRun: value.RECONCILIATION_CORRECTION_MAX_PER_RUN,
    perDay: value.RECONCILIATION_CORRECTION_MAX_PER_DAY,
    ofAKind: value.RECONCILIATION_CORRECTION_MAX_OF_A_KIND,
  };
}

function circleOf(value: Values): CircleConfig {
  return {
    baseUrl: value.CIRCLE_BASE_URL,
    apiKey: value.CIRCLE_API_KEY,
    requestsPerSecond: value.CIRCLE_REQUESTS_PER_SECOND,
    tolerance: value.RECONCILIATION_CIRCLE_TOLERANCE,
    exclude: new Set(value.RECONCILIATION_CIRCLE_EXCLUDE),
  };
}

function alpacaOf(value: Values): AlpacaConfig {
  return {
    baseUrl: value.ALPACA_BASE_URL,
    authUrl: value.ALPACA_AUTH_URL,
    apiKey: value.ALPACA_API_KEY,
    apiSecret: value.ALPACA_API_SECRET,
    requestsPerSecond: value.ALPACA_REQUESTS_PER_SECOND,
    tolerance: value.RECONCILIATION_ALPACA_TOLERANCE,
    measure: value.RECONCILIATION_ALPACA_MEASURE,
    exclude: new Set(value.RECONCILIATION_ALPACA_EXCLUDE),
  };
}

function* targetsOf(value: Values): Generator<TargetConfig> {
  const webhook = value.RECONCILIATION_ALERT_WEBHOOK_URL;
  const slack = value.RECONCILIATION_ALERT_SLACK_URL;
  const key = value.RECONCILIATION_ALERT_PAGERDUTY_KEY;
  if (slack !== undefined) yield { name: 'slack', url: slack, severity: value.RECONCILIATION_ALERT_SLACK_SEVERITY };
  if (key !== undefined)
    yield {
      name: 'pagerduty',
      url: value.RECONCILIATION_ALERT_PAGERDUTY_URL,
      key,
      severity: value.RECONCILIATION_ALERT_PAGERDUTY_SEVERITY,
    };
  if (webhook === undefined) return;
  const severity = value.RECONCILIATION_ALERT_WEBHOOK_SEVERITY;
  if (isSlack(webhook)) yield { name: 'slack', url: webhook, severity };
  else yield { name: 'webhook', url: webhook, secrets: value.RECONCILIATION_ALERT_WEBHOOK_SECRET, severity };
}

/** Slack’s webhooks are known by their host, that of its government cloud included. */
function isSlack(url: string): boolean {
  return /^hooks\.slack(-gov)?\.com$/.test(new URL(url).hostname);
}
