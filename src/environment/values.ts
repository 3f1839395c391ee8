import { z } from 'zod';
import { checkNames, isCheckName } from '../checks/names.ts';
import { parseDuration } from '../duration.ts';
import { severities } from '../kinds.ts';
import { money } from '../money.ts';
import { whichOf } from '../suggestion.ts';
import { wrongInDatabaseUrl } from './database-url.ts';
import type { VariableName } from './variables.ts';

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
const encoded =
  'cannot be read for certain: in user and password percent-encode @ as %40, / as %2F, \\ as %5C, ? as %3F and # as %23, and an @ that stands after them';
const httpUrl = z
  .string()
  .refine(isUnambiguous, { error: encoded, abort: true })
  .refine(isHttpUrl, 'must be a URL that begins with https:// or http://');
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
const databaseUrl = text.refine(isUnambiguous, { error: encoded, abort: true }).superRefine((value, context) => {
  const message = wrongInDatabaseUrl(value);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
const checkList = list.transform((names, context) => {
  for (const name of names.filter((item) => !isCheckName(item)))
    context.addIssue({ code: 'custom', message: `names no check of recon: "${name}". ${whichOf(name, checkNames)}` });
  return names.length === 0 ? checkNames : checkNames.filter((name) => names.includes(name));
});

/** 24 to 64 random bytes each (Standard Webhooks 1.0.0). */
const webhookSecrets = list.refine(
  (secrets) => secrets.every((secret) => /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(secret)) && secrets.length <= 2,
  'must be whsec_ and 24 to 64 bytes in base64, or two of these separated by a comma',
);
const pagerDutyKey = z.string().refine((value) => /^[A-Za-z0-9]{32}$/.test(value), 'must be 32 letters and digits');
const circleKey = z
  .string()
  .refine((value) => /^[^:\s]+:[^:\s]+:[^:\s]+$/.test(value), 'must be PREFIX:ID:SECRET, all three parts');
const severity = z.enum(severities, { error: `must be one of ${severities.join(', ')}` });

function oneOf<const T extends string>(...choices: T[]) {
  return z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
}

/**
 * A bare @, / \ ? or # in a password ends it too early: the rest of it would be taken for a host, and shown. A path may
 * hold an @, as those of Microsoft Teams do, where no colon before it can begin a password.
 */
function isUnambiguous(value: string): boolean {
  const [before = '', ...after] = value.replace(/^[^:]*:[/\\]*/, '').split('@');
  return after.length === 0 || (after.length === 1 && !(before.includes(':') && /[/\\?#]/.test(before)));
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function hasNoCredentials(value: string): boolean {
  if (!URL.canParse(value)) return true;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

/** What the text of each variable may be, and what it becomes. */
export const values = z.object({
  DATABASE_URL: databaseUrl,
  SOURCE_DATABASE_URL: databaseUrl.optional(),
  CORRECTION_DATABASE_URL: databaseUrl.optional(),
  CIRCLE_API_KEY: circleKey.optional(),
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

export type Values = z.output<typeof values>;
