import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { TargetConfig } from './alerts/target.ts';
import { checkNames, type CheckName } from './checks/names.ts';
import { parseDuration } from './duration.ts';
import { severities } from './kinds.ts';
import { money, type Money } from './money.ts';
import { OperatorError } from './operator-error.ts';
import type { Schedule } from './schedule/schedule.ts';
import { databaseUrlForm } from './secrets.ts';
import { suggest, whichOf } from './suggestion.ts';
import { variables, type Variable, type VariableName } from './variables.ts';
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

type Environment = World['env'];

/**
 * Checks the whole environment and reports every problem at once: throws an OperatorError (78) that names each
 * variable and what it should be, without the value of a secret.
 */
export function parseConfig(env: Environment): Config {
  const problems: string[] = unknownNames(env);
  const values = {} as Record<VariableName, string | undefined>;
  for (const variable of variables) values[variable.name] = readVariable(env, variable, problems);
  const parsed = schema.safeParse(values);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map(({ path: [name], message }) => `${String(name)} ${ended(message)}`));
  if (problems.length > 0 || !parsed.success)
    throw new OperatorError(
      78,
      problems.join('\n'),
      'Run `recon help environment` for every variable and its default.',
    );
  return parsed.data;
}

/** With the full stop that most messages leave to whoever makes a sentence of them. */
function ended(message: string): string {
  return message.endsWith('?') || message.endsWith('.') ? message : `${message}.`;
}

/** The value, from the variable itself or, for a secret, from the file that `<NAME>_FILE` names; empty counts as unset. */
function readVariable(env: Environment, variable: Variable, problems: string[]): string | undefined {
  const value = env[variable.name]?.trim();
  const file = variable.kind === 'secret' ? env[`${variable.name}_FILE`]?.trim() : undefined;
  if (value && file) problems.push(`${variable.name} and ${variable.name}_FILE are both set: unset one of them.`);
  if (!value && file) return readSecretFile(`${variable.name}_FILE`, file, problems);
  return value ? value : variable.default;
}

function readSecretFile(name: string, path: string, problems: string[]): string | undefined {
  try {
    const value = readFileSync(path, 'utf8').trim();
    if (value === '') problems.push(`${name} names an empty file: ${path}.`);
    return value;
  } catch (error) {
    problems.push(
      `${name} names a file that cannot be read: ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
    );
    return undefined;
  }
}

const prefix = 'RECONCILIATION_';

/** The part that tells them apart: what all have in common would make any two look alike. */
function withoutPrefix(name: string): string {
  return name.slice(prefix.length);
}

/** A misspelled variable would silently keep its default. CIRCLE_* and ALPACA_* are shared with the host: not judged. */
function unknownNames(env: Environment): string[] {
  const known: string[] = variables
    .flatMap(({ name, kind }) => (kind === 'secret' ? [name, `${name}_FILE`] : [name]))
    .filter((name) => name.startsWith(prefix));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .sort()
    .map((name) => {
      const nearest = suggest(withoutPrefix(name), known.map(withoutPrefix));
      return `${name} is not a variable of recon.${nearest === undefined ? '' : ` Did you mean ${prefix}${nearest}?`}`;
    });
}

const text = z.string({ error: 'is not set' });
const list = z
  .string()
  .optional()
  .transform((value) =>
    (value ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
const flag = z
  .string()
  .refine((value) => /^(true|false|1|0|yes|no)$/i.test(value), 'must be true or false')
  .transform((value) => /^(true|1|yes)$/i.test(value));
const amount = z.string().transform((value, context) => {
  if (/^\d{1,18}(\.\d{1,18})?$/.test(value)) return money(value);
  context.addIssue({ code: 'custom', message: 'must be an amount such as 100 or 0.50' });
  return z.NEVER;
});
const duration = z.string().transform((value, context) => {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 90s, 10m, 24h or 3d' });
  return z.NEVER;
});
/** A timer of Node that is given more than 2^31 ms goes off at once. */
const timerMaxMs = 24 * 86_400_000;
const timeout = duration.refine((value) => value > 0 && value <= timerMaxMs, 'must be from 1s to 24d');
const positiveNumber = z
  .string()
  .refine((value) => /^\d{1,6}(\.\d{1,3})?$/.test(value) && Number(value) > 0, 'must be a number above 0')
  .transform(Number);
const wholeNumber = z
  .string()
  .refine((value) => /^\d{1,4}$/.test(value), 'must be a whole number, such as 20')
  .transform(Number);
const minutes = z
  .string()
  .refine((value) => /^[1-9]\d{0,4}$/.test(value), 'must be whole minutes, such as 60')
  .transform((value) => Number(value) * 60_000);
const httpUrl = z.string().refine(isHttpUrl, 'must be a URL that begins with https:// or http://');
/** Who we are goes into the variables of the keys: a URL is stored and shown. */
const publicUrl = httpUrl.refine(
  hasNoCredentials,
  'must not hold a user or a password: they belong in the variables of the keys',
);
const clockTime = z.string().refine((value) => /^([01]\d|2[0-3]):[0-5]\d$/.test(value), 'must be HH:MM in UTC');
const schemaName = z
  .string()
  .refine((value) => /^[a-z_][a-z0-9_]{0,62}$/.test(value), 'must be a lower-case PostgreSQL name')
  .optional();
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const databaseUrl = text
  .refine(isDatabaseUrl, `must be ${databaseUrlForm}`)
  .refine(hasOneHost, 'must name one host')
  .refine(isDecodable, 'has a percent sign that must be written as %25')
  .refine(hasSslMode, `may have an sslmode of ${sslModes.join(', ')}`);
const checkList = list.transform((names, context) => {
  for (const name of names.filter((item) => !(checkNames as readonly string[]).includes(item)))
    context.addIssue({ code: 'custom', message: `names no check of recon: "${name}". ${whichOf(name, checkNames)}` });
  return names.length === 0 ? checkNames : checkNames.filter((name) => names.includes(name));
});

/** 24 to 64 random bytes each (Standard Webhooks 1.0.0). */
const webhookSecrets = list.refine(
  (secrets) => secrets.every((secret) => /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(secret)) && secrets.length <= 2,
  'must be whsec_ and 24 to 64 bytes in base64, or two of these separated by a comma',
);
const pagerDutyKey = z.string().refine((value) => /^[A-Za-z0-9]{32}$/.test(value), 'must be 32 letters and digits');
const severity = z.enum(severities, { error: `must be one of ${severities.join(', ')}` });

function oneOf<const T extends string>(...choices: T[]) {
  return z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function hasNoCredentials(value: string): boolean {
  if (!URL.canParse(value)) return true;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

function isDatabaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, pathname } = new URL(value);
  return /^postgres(ql)?:$/.test(protocol) && hostname !== '' && pathname.length > 1;
}

/** The driver tries the hosts of a list in turn and for ever. */
function hasOneHost(value: string): boolean {
  return !URL.canParse(value) || !new URL(value).hostname.includes(',');
}

/** The driver takes a mode that it does not know for one of its own. */
function hasSslMode(value: string): boolean {
  const mode = URL.canParse(value) ? new URL(value).searchParams.get('sslmode') : null;
  return mode === null || sslModes.includes(mode);
}

/** A client of PostgreSQL decodes user, password and the name of the database. */
function isDecodable(value: string): boolean {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

const environment = z.object({
  DATABASE_URL: databaseUrl,
  SOURCE_DATABASE_URL: databaseUrl.optional(),
  CORRECTION_DATABASE_URL: databaseUrl.optional(),
  CIRCLE_API_KEY: z.string().optional(),
  CIRCLE_BASE_URL: publicUrl,
  CIRCLE_REQUESTS_PER_SECOND: positiveNumber,
  ALPACA_API_KEY: z.string().optional(),
  ALPACA_API_SECRET: z.string().optional(),
  ALPACA_BASE_URL: publicUrl,
  ALPACA_AUTH_URL: publicUrl.optional(),
  ALPACA_REQUESTS_PER_SECOND: positiveNumber,
  RECONCILIATION_ENABLED: flag,
  RECONCILIATION_ENVIRONMENT: text,
  RECONCILIATION_CHECKS: checkList,
  RECONCILIATION_SOURCE: text,
  RECONCILIATION_SCHEMA: schemaName,
  RECONCILIATION_GRACE_PERIOD: duration,
  RECONCILIATION_STUCK_AFTER: duration,
  RECONCILIATION_WITHDRAWAL_STUCK_AFTER: duration,
  RECONCILIATION_ENTRIES_PER_TRANSACTION: oneOf('any', 'two'),
  RECONCILIATION_LOW_UP_TO: amount,
  RECONCILIATION_MEDIUM_UP_TO: amount,
  RECONCILIATION_HIGH_UP_TO: amount,
  RECONCILIATION_CIRCLE_TOLERANCE: amount,
  RECONCILIATION_ALPACA_TOLERANCE: amount,
  RECONCILIATION_ALPACA_MEASURE: oneOf('auto', 'cash', 'buying_power'),
  RECONCILIATION_CIRCLE_EXCLUDE: list,
  RECONCILIATION_ALPACA_EXCLUDE: list,
  RECONCILIATION_RUN_TIMEOUT: timeout.optional(),
  RECONCILIATION_REQUEST_TIMEOUT: timeout,
  RECONCILIATION_HOURLY_INTERVAL: minutes,
  RECONCILIATION_DAILY_RUN_TIME: clockTime,
  RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: flag,
  RECONCILIATION_CORRECTION_MAX_PER_RUN: amount,
  RECONCILIATION_CORRECTION_MAX_PER_DAY: amount,
  RECONCILIATION_CORRECTION_MAX_OF_A_KIND: wholeNumber,
  RECONCILIATION_ALERT_WEBHOOK_URL: httpUrl.optional(),
  RECONCILIATION_ALERT_WEBHOOK_SECRET: webhookSecrets,
  RECONCILIATION_ALERT_WEBHOOK_SEVERITY: severity,
  RECONCILIATION_ALERT_SLACK_URL: httpUrl.optional(),
  RECONCILIATION_ALERT_SLACK_SEVERITY: severity,
  RECONCILIATION_ALERT_PAGERDUTY_KEY: pagerDutyKey.optional(),
  RECONCILIATION_ALERT_PAGERDUTY_URL: publicUrl,
  RECONCILIATION_ALERT_PAGERDUTY_SEVERITY: severity,
  RECONCILIATION_ALERT_MAX_AGE: duration,
  PUSHGATEWAY_URL: httpUrl.optional(),
  LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  LOG_FORMAT: oneOf('auto', 'json', 'ecs'),
} satisfies Record<VariableName, z.ZodType>);

const schema = environment
  .check(({ value, issues }) => {
    if (issues.length > 0) return; // values that are wrong by themselves are not compared
    const {
      RECONCILIATION_LOW_UP_TO: low,
      RECONCILIATION_MEDIUM_UP_TO: medium,
      RECONCILIATION_HIGH_UP_TO: high,
    } = value;
    if (low.greaterThan(medium) || medium.greaterThan(high))
      issues.push({
        code: 'custom',
        input: value,
        path: ['RECONCILIATION_LOW_UP_TO'],
        message: 'must not be above RECONCILIATION_MEDIUM_UP_TO, nor that above RECONCILIATION_HIGH_UP_TO',
      });
    const webhook = value.RECONCILIATION_ALERT_WEBHOOK_URL;
    if (webhook !== undefined && isSlack(webhook) && value.RECONCILIATION_ALERT_SLACK_URL !== undefined)
      issues.push({
        code: 'custom',
        input: value,
        path: ['RECONCILIATION_ALERT_SLACK_URL'],
        message: 'is set, and RECONCILIATION_ALERT_WEBHOOK_URL names Slack too: unset one of them',
      });
  })
  .transform(toConfig);

function toConfig(value: z.output<typeof environment>): Config {
  return {
    databaseUrl: value.DATABASE_URL,
    sourceDatabaseUrl: value.SOURCE_DATABASE_URL ?? value.DATABASE_URL,
    schema: value.RECONCILIATION_SCHEMA,
    source: value.RECONCILIATION_SOURCE,
    enabled: value.RECONCILIATION_ENABLED,
    environment: value.RECONCILIATION_ENVIRONMENT,
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
    runTimeoutMs: value.RECONCILIATION_RUN_TIMEOUT,
    requestTimeoutMs: value.RECONCILIATION_REQUEST_TIMEOUT,
    schedule: {
      hourlyIntervalMs: value.RECONCILIATION_HOURLY_INTERVAL,
      dailyRunTime: value.RECONCILIATION_DAILY_RUN_TIME,
    },
    corrections: {
      automatic: value.RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY,
      databaseUrl: value.CORRECTION_DATABASE_URL ?? value.DATABASE_URL,
      variable: value.CORRECTION_DATABASE_URL === undefined ? 'DATABASE_URL' : 'CORRECTION_DATABASE_URL',
      perRun: value.RECONCILIATION_CORRECTION_MAX_PER_RUN,
      perDay: value.RECONCILIATION_CORRECTION_MAX_PER_DAY,
      ofAKind: value.RECONCILIATION_CORRECTION_MAX_OF_A_KIND,
    },
    alerts: { targets: [...targetsOf(value)], maxAgeMs: value.RECONCILIATION_ALERT_MAX_AGE },
    pushgatewayUrl: value.PUSHGATEWAY_URL,
    logLevel: value.LOG_LEVEL,
    logFormat: value.LOG_FORMAT,
    circle: {
      baseUrl: value.CIRCLE_BASE_URL,
      apiKey: value.CIRCLE_API_KEY,
      requestsPerSecond: value.CIRCLE_REQUESTS_PER_SECOND,
      tolerance: value.RECONCILIATION_CIRCLE_TOLERANCE,
      exclude: new Set(value.RECONCILIATION_CIRCLE_EXCLUDE),
    },
    alpaca: {
      baseUrl: value.ALPACA_BASE_URL,
      authUrl: value.ALPACA_AUTH_URL,
      apiKey: value.ALPACA_API_KEY,
      apiSecret: value.ALPACA_API_SECRET,
      requestsPerSecond: value.ALPACA_REQUESTS_PER_SECOND,
      tolerance: value.RECONCILIATION_ALPACA_TOLERANCE,
      measure: value.RECONCILIATION_ALPACA_MEASURE,
      exclude: new Set(value.RECONCILIATION_ALPACA_EXCLUDE),
    },
  };
}

function* targetsOf(value: z.output<typeof environment>): Generator<TargetConfig> {
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
