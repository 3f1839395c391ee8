import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig, parseConfigWithoutDatabase } from '../src/config.ts';
import { OperatorError } from '../src/operator-error.ts';
import { variables } from '../src/environment/variables.ts';

const databaseUrl = 'postgres://recon:canary-password@db.example.com:5432/app';

function problemsOf(env: Record<string, string>): string[] {
  try {
    parseConfig({ DATABASE_URL: databaseUrl, ...env });
    return [];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    expect(error.exitCode).toBe(78);
    expect(error.hint).toContain('recon help environment');
    return error.message.split('\n');
  }
}

async function fileWith(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'secret'), content);
  return join(folder, 'secret');
}

describe('the configuration', () => {
  test('has the defaults that the table of variables shows', () => {
    const config = parseConfig({ DATABASE_URL: databaseUrl });
    expect(config).toMatchObject({
      databaseUrl,
      sourceDatabaseUrl: databaseUrl,
      schema: undefined,
      source: 'stack_service',
      enabled: true,
      environment: 'production',
      gracePeriodMs: 300_000,
      stuckAfterMs: 86_400_000,
      withdrawalStuckAfterMs: 259_200_000,
      entriesPerTransaction: 'any',
      runTimeoutMs: undefined,
      requestTimeoutMs: 30_000,
      corrections: { automatic: false, databaseUrl, variable: 'DATABASE_URL', ofAKind: 20 },
    });
    expect(config.checks).toEqual([
      'ledger_consistency',
      'circle_balance',
      'alpaca_balance',
      'deposits',
      'conversion_jobs',
      'withdrawals',
    ]);
    const { low, medium, high } = config.severityUpTo;
    expect([low, medium, high, config.circle.tolerance, config.alpaca.tolerance].map(String)).toEqual([
      '1',
      '100',
      '1000',
      '10',
      '100',
    ]);
  });

  test('an empty variable counts as unset, and what surrounds a value is trimmed', () => {
    expect(problemsOf({ RECONCILIATION_GRACE_PERIOD: '', LOG_LEVEL: ' ', CIRCLE_BASE_URL: '' })).toEqual([]);
    expect(parseConfig({ DATABASE_URL: ` ${databaseUrl}\n` }).databaseUrl).toBe(databaseUrl);
  });

  test('a comma in a password is no second host', () => {
    expect(problemsOf({ DATABASE_URL: 'postgres://u:one,two@db/app?sslmode=require' })).toEqual([]);
  });

  test('every malformed value is named, all of them at once, with what it should be', () => {
    const wrong = {
      DATABASE_URL: 'mysql://db/app',
      CIRCLE_API_KEY: 'TEST_API_KEY:its-secret-alone',
      CIRCLE_BASE_URL: 'api.circle.com',
      CIRCLE_REQUESTS_PER_SECOND: '0',
      ALPACA_AUTH_URL: 'ftp://alpaca.markets',
      RECONCILIATION_ENABLED: 'maybe',
      RECONCILIATION_CHECKS: 'deposits,withdrawls',
      RECONCILIATION_SCHEMA: 'Robert"; drop',
      RECONCILIATION_GRACE_PERIOD: '5 minutes',
      RECONCILIATION_ENTRIES_PER_TRANSACTION: '3',
      RECONCILIATION_LOW_UP_TO: '-1',
      RECONCILIATION_CIRCLE_TOLERANCE: '1e3',
      RECONCILIATION_ALPACA_MEASURE: 'equity',
      RECONCILIATION_RUN_TIMEOUT: '60d',
      RECONCILIATION_REQUEST_TIMEOUT: '0s',
      RECONCILIATION_HOURLY_INTERVAL: 'hourly',
      RECONCILIATION_DAILY_RUN_TIME: '24:00',
      RECONCILIATION_ALERT_WEBHOOK_URL: 'hooks.example.com',
      PUSHGATEWAY_URL: 'pushgateway:9091',
      LOG_LEVEL: 'loud',
    };
    const problems = problemsOf(wrong);
    expect(problems.map((problem) => problem.split(' ')[0]).toSorted()).toEqual(Object.keys(wrong).toSorted());
    expect(problems).toContain('RECONCILIATION_ENABLED must be true or false. It is "maybe".');
    expect(problems).toContain(
      'RECONCILIATION_CHECKS names no check of recon: "withdrawls". Did you mean withdrawals? There are ledger_consistency, circle_balance, alpaca_balance, deposits, conversion_jobs, withdrawals.',
    );
    expect(problems).toContain(
      'RECONCILIATION_ALPACA_MEASURE must be one of auto, cash, buying_power. It is "equity".',
    );
    expect(problems).toContain('RECONCILIATION_RUN_TIMEOUT must be from 1s to 24d. It is "60d".'); // more overflows a timer of Node
    for (const problem of problems) expect(problem).toMatch(/^[A-Z_]+ .+\.$/);
  });

  test.each([
    ['nothing', {}, 'DATABASE_URL is not set.'],
    [
      'no database in it',
      { DATABASE_URL: 'postgres://db:5432' },
      'DATABASE_URL names no database: it must be postgres://',
    ],
    ['a password cut off at a #', { DATABASE_URL: 'postgres://u:sec' }, 'a # in the password is written as %23'],
    ['no URL', { DATABASE_URL: 'host=db dbname=app' }, 'DATABASE_URL does not begin with postgres://: it must be'],
    [
      'only its scheme',
      { DATABASE_URL: 'postgres://' },
      'DATABASE_URL names no host: it must be postgres://user:password@host:port/database.',
    ],
    ['quotes around it', { DATABASE_URL: `"${databaseUrl}"` }, 'DATABASE_URL stands in quotes'],
    ['several hosts', { DATABASE_URL: 'postgres://u:p@one,two/app' }, 'DATABASE_URL must name one host.'],
    ['several ports', { DATABASE_URL: 'postgres://u:p@one:5432,two:5432/app' }, 'DATABASE_URL must name one host.'],
    [
      'a port too high',
      { DATABASE_URL: 'postgres://u:p@db:99999/app' },
      'DATABASE_URL has a port that is none: it must',
    ],
    ['a host that is none', { DATABASE_URL: 'postgres://u:p@d b/app' }, 'DATABASE_URL names a host that is none'],
    [
      'a mode of TLS that does not exist',
      { DATABASE_URL: `${databaseUrl}?sslmode=required` },
      'DATABASE_URL may have an sslmode of disable, allow, prefer, require, verify-ca, verify-full.',
    ],
    ['a bare percent sign', { DATABASE_URL: 'postgres://u:100%secret@db/app' }, 'DATABASE_URL has a percent sign'],
    ...[
      [
        'channel_binding=require',
        'that recon cannot honour: channel_binding; take it out, and ask for TLS by sslmode=',
      ],
      ['gssencmode=require', 'that recon cannot honour: gssencmode;'],
      ['ssl=true', 'that recon cannot honour: ssl; take it out, and ask for TLS by sslmode=require or verify-full.'],
      ['sslcert=/client.pem', 'that recon cannot honour: sslcert;'],
      ['sslpassword=canary', 'that recon cannot honour: sslpassword; take it out, and ask for TLS'],
      ['require_auth=scram-sha-256', 'that recon cannot honour: require_auth;'],
      [
        'password=canary',
        'that recon cannot honour: password; take it out, for a password has its place: it must be p',
      ],
      ...['PASSWORD', 'pass', 'passwd', 'Pwd', 'passfile'].map((name) => [
        `${name}=canary`,
        `that recon cannot honour: ${name}; take it out, for a password has its place: it must be p`,
      ]),
      ['SSLMODE=require', 'that recon cannot honour: SSLMODE; take it out, and ask for TLS by sslmode=verify-full'],
    ].map(([parameter, problem]) => [
      parameter!,
      { DATABASE_URL: `${databaseUrl}?${parameter!}` },
      `DATABASE_URL has a parameter ${problem!}`,
    ]),
    ...[
      ['sslrootcert=/no/such/file', 'an sslrootcert, which wants sslmode=verify-full.'],
      [
        'sslmode=verify-full&sslrootcert=/no/such/file',
        'an sslrootcert, a file that cannot be read: /no/such/file (ENOENT).',
      ],
      ['sslmode=verify-ca&sslrootcert=/dev/null', 'a file that holds no certificate in PEM: /dev/null (one in DER: '],
      ['sslmode=require&sslrootcert=system', 'sslrootcert=system, which wants sslmode=verify-full.'],
      ['connect_timeout=0', 'a connect_timeout that is no number of seconds from 1 to 9999 (0 would wait for ever).'],
    ].map(([parameter, problem]) => [parameter!, { DATABASE_URL: `${databaseUrl}?${parameter!}` }, problem!]),
  ] as [string, Record<string, string>, string][])('a database URL with %s', (_, env, problem) => {
    expect(problemsOf({ DATABASE_URL: '', ...env }).join()).toContain(problem);
  });

  test('a setting of the server that only speaks of passwords is none', () => {
    expect(problemsOf({ DATABASE_URL: `${databaseUrl}?password_encryption=scram-sha-256` })).toEqual([]);
  });

  test('TLS that is asked for where nobody reads it is no reason to connect without', () => {
    const problem = (name: string, asked: string) =>
      `${name} has no sslmode, and ${asked}, which asks for TLS, is not read: put sslmode=require or verify-full into it.`;
    for (const asked of ['require', 'verify-full', 'true', '1'])
      expect(problemsOf({ PGSSL: asked })).toEqual([problem('DATABASE_URL', 'PGSSL')]);
    const other = { SOURCE_DATABASE_URL: databaseUrl, CORRECTION_DATABASE_URL: `${databaseUrl}?application_name=desk` };
    expect(problemsOf({ PGSSLMODE: 'require', DATABASE_URL: `${databaseUrl}?sslmode=require`, ...other })).toEqual([
      problem('SOURCE_DATABASE_URL', 'PGSSLMODE'),
      problem('CORRECTION_DATABASE_URL', 'PGSSLMODE'),
    ]);
    for (const asked of ['disable', 'false', '', 'allow', 'prefer'])
      expect(problemsOf({ PGSSL: asked, PGSSLMODE: asked })).toEqual([]);
    for (const said of ['sslmode=disable', 'sslmode=verify-full', 'sslrootcert=system'])
      expect(problemsOf({ PGSSL: 'require', DATABASE_URL: `${databaseUrl}?${said}` })).toEqual([]);
    expect(parseConfigWithoutDatabase({ PGSSL: 'require' })).toMatchObject({ environment: 'production' });
  });

  test('an authority in PEM is one, in DER none, and how it is converted is told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recon-authority-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const named = (file: string) => ({ DATABASE_URL: `${databaseUrl}?sslmode=verify-full&sslrootcert=${file}` });
    const [pem, der] = [join(folder, 'ca.pem'), join(folder, 'ca.der')];
    const [authority = ''] = rootCertificates;
    await writeFile(pem, authority);
    await writeFile(der, new X509Certificate(authority).raw);
    expect(problemsOf(named(pem))).toEqual([]);
    expect(problemsOf(named(der))).toEqual([
      `DATABASE_URL has an sslrootcert, a file that holds no certificate in PEM: ${der} (one in DER: openssl x509 -inform der -in FILE -out FILE.pem converts it).`,
    ]);
  });

  const ambiguous = [
    'u:Canary@word/9x@db.internal:5432/app',
    'u:12@can@ary/app',
    'u:12/canary@db/app',
    'u:12?canary@db/app',
    'u:12#canary@db/app',
    'u:12\\canary@db/app',
    'u:can/ary@db/app',
    'u/x:canary@db/app',
    'u:p@db/app?options=canary@x',
  ];
  test.each(ambiguous)('a URL whose password may end in more than one place: %s', (rest) => {
    const urls = { DATABASE_URL: 'postgres', SOURCE_DATABASE_URL: 'postgresql', CORRECTION_DATABASE_URL: 'postgres' };
    const others = { RECONCILIATION_ALERT_WEBHOOK_URL: 'https', PUSHGATEWAY_URL: 'http', CIRCLE_BASE_URL: 'https' };
    for (const [name, scheme] of Object.entries({ ...urls, ...others }))
      expect(problemsOf({ [name]: `${scheme}://${rest}` })).toEqual([
        `${name} cannot be read for certain: in user and password percent-encode @ as %40, / as %2F, \\ as %5C, ? as %3F and # as %23, and an @ that stands after them.`,
      ]);
  });

  test('what is encoded, a colon in a password, and an @ in the path of a webhook are certain', () => {
    const teams = 'https://x.webhook.office.com/webhookb2/one@two/IncomingWebhook/three';
    const env = { DATABASE_URL: 'postgres://u:a:b%40%2F%23%3F@db/app', RECONCILIATION_ALERT_WEBHOOK_URL: teams };
    expect(problemsOf(env)).toEqual([]);
  });

  test('a base URL with credentials in it is refused without showing them', () => {
    for (const name of ['CIRCLE_BASE_URL', 'ALPACA_BASE_URL', 'ALPACA_AUTH_URL'])
      for (const credentials of ['canary:canary-password', 'canary-token'])
        expect(problemsOf({ [name]: `https://${credentials}@api.example.com` })).toEqual([
          `${name} must not hold a user or a password: they belong in the variables of the keys.`,
        ]);
  });

  test('limits of severity that do not rise', () => {
    for (const name of ['RECONCILIATION_LOW_UP_TO', 'RECONCILIATION_MEDIUM_UP_TO', 'RECONCILIATION_HIGH_UP_TO'])
      expect(problemsOf({ [name]: 'abc' })).toEqual([`${name} must be an amount such as 100 or 0.50. It is "abc".`]);
    for (const [set, problem] of [
      ['LOW_UP_TO=200', 'LOW_UP_TO must not be above RECONCILIATION_MEDIUM_UP_TO, which is 100.'],
      ['MEDIUM_UP_TO=1000.01', 'MEDIUM_UP_TO must not be above RECONCILIATION_HIGH_UP_TO, which is 1000.'],
      ['MEDIUM_UP_TO=0.5', 'MEDIUM_UP_TO must not be below RECONCILIATION_LOW_UP_TO, which is 1.'],
      ['HIGH_UP_TO=1', 'HIGH_UP_TO must not be below RECONCILIATION_MEDIUM_UP_TO, which is 100.'],
    ] as const) {
      const [name = '', amount = ''] = set.split('=');
      expect(problemsOf({ [`RECONCILIATION_${name}`]: amount })).toEqual([
        `RECONCILIATION_${problem} It is "${amount}".`,
      ]);
    }
    expect(problemsOf({ RECONCILIATION_LOW_UP_TO: '100', RECONCILIATION_HIGH_UP_TO: '100' })).toEqual([]);
  });

  test('what may be a secret, or more than fits a line, is not repeated', () => {
    const secret = 'canary-secret-of-more-than-20';
    for (const name of ['RECONCILIATION_GRACE_PERIOD', 'RECONCILIATION_SCHEMA', 'CIRCLE_BASE_URL', 'CIRCLE_API_KEY'])
      expect(problemsOf({ [name]: secret }).join()).not.toContain('canary');
    expect(problemsOf({ CIRCLE_API_KEY: 'short', RECONCILIATION_SCHEMA: 'No' }).join()).not.toMatch(/short|No\b/);
  });

  test('a misspelled variable is an error with a suggestion; those of others are not judged', () => {
    expect(problemsOf({ RECONCILIATION_ENABLE: 'false', RECONCILIATION_COLOUR: 'red' })).toEqual([
      'RECONCILIATION_COLOUR is not a variable of recon.',
      'RECONCILIATION_ENABLE is not a variable of recon. Did you mean RECONCILIATION_ENABLED?',
    ]);
    expect(problemsOf({ CIRCLE_ENTITY_SECRET: 'x', ALPACA_PAPER: 'true', PATH: '/bin' })).toEqual([]);
  });

  test('the checks that are on keep the order of the registry', () => {
    expect(
      parseConfig({ DATABASE_URL: databaseUrl, RECONCILIATION_CHECKS: ' withdrawals, deposits ,' }).checks,
    ).toEqual(['deposits', 'withdrawals']);
  });
});

describe('a secret from a file', () => {
  test('is read without the line feed at its end', async () => {
    const file = await fileWith(`${databaseUrl}\n`);
    const key = await fileWith('TEST_API_KEY:id:secret\n');
    const config = parseConfig({ DATABASE_URL_FILE: file, CIRCLE_API_KEY_FILE: key });
    expect(problemsOf({ CIRCLE_API_KEY_FILE: file })).toEqual([
      'CIRCLE_API_KEY_FILE (its content) must be PREFIX:ID:SECRET, all three parts.',
    ]);
    expect([config.databaseUrl, config.circle.apiKey]).toEqual([databaseUrl, 'TEST_API_KEY:id:secret']);
  });

  test('cannot be read, is empty, or is given twice', async () => {
    const empty = await fileWith('\n');
    expect(problemsOf({ CIRCLE_API_KEY_FILE: '/no/such/file' })).toEqual([
      'CIRCLE_API_KEY_FILE names a file that cannot be read: /no/such/file (ENOENT).',
    ]);
    expect(problemsOf({ ALPACA_API_SECRET_FILE: empty })).toEqual([
      `ALPACA_API_SECRET_FILE names an empty file: ${empty}.`,
    ]);
    expect(problemsOf({ CIRCLE_API_KEY: 'TEST_API_KEY:one:key', CIRCLE_API_KEY_FILE: empty })).toEqual([
      'CIRCLE_API_KEY and CIRCLE_API_KEY_FILE are both set: unset one of them.',
    ]);
  });

  test('only secrets have one', () => {
    expect(problemsOf({ RECONCILIATION_ENABLED_FILE: '/etc/enabled' })).toEqual([
      'RECONCILIATION_ENABLED_FILE is not a variable of recon. Did you mean RECONCILIATION_ENABLED?',
    ]);
  });
});

test('no message repeats the value of a secret', () => {
  const canary = 'canary:// not a url';
  for (const { name } of variables.filter(({ kind }) => kind === 'secret'))
    expect(problemsOf({ [name]: canary }).join(), name).not.toContain(canary);
});
