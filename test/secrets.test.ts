import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMask } from '../src/secrets.ts';

const env = {
  DATABASE_URL: 'postgres://recon:p%40ss-canary@db.example.com/app',
  CIRCLE_API_KEY: 'TEST_API_KEY:canary-circle-id-0001:canary-circle-secret-0001',
  ALPACA_API_KEY: 'CKALPACACANARY',
  ALPACA_API_SECRET: 'alpaca+canary/secret',
  SOURCE_DATABASE_URL: 'postgres://recon@db.example.com/app?sslmode=require&password=p%40ss-two-canary',
  PUSHGATEWAY_URL: 'https://pusher:push%2Fcanary@push.example.com',
};
const mask = createMask(env);

test.each([
  ['as it is', `refused ${env.CIRCLE_API_KEY}`],
  ['a part of a Circle key', 'no such key: canary-circle-secret-0001'],
  ['inside a URL', `cannot connect to ${env.DATABASE_URL}`],
  ['the password of a URL', 'password p%40ss-canary is wrong'],
  ['the password of a URL, decoded', 'password p@ss-canary is wrong'],
  ['the password behind the question mark of a URL', 'invalid value: "p@ss-two-canary"'],
  ['the same as it stands there', '&password=p%40ss-two-canary&'],
  ['URL-encoded', `client_secret=${encodeURIComponent(env.ALPACA_API_SECRET)}`],
  ['as HTTP Basic', `Basic ${Buffer.from(`${env.ALPACA_API_KEY}:${env.ALPACA_API_SECRET}`).toString('base64')}`],
  ['of a URL as HTTP Basic', `Basic ${Buffer.from('pusher:push/canary').toString('base64')}`],
])('a secret %s', (_, text) => {
  const masked = mask(text);
  expect(masked).toContain('[secret]');
  expect(masked).not.toMatch(/canary/i);
});

test('the password behind the question mark of a URL, whatever it is called there; not a setting of the server', () => {
  const maskOf = (parameter: string) => createMask({ DATABASE_URL: `postgres://recon@db/app?a=b&${parameter}` });
  for (const name of ['password', 'PASSWORD', 'pass', 'passwd', 'pwd', 'p%61ss', 'sslpassword', 'passfile'])
    expect(maskOf(`${name}=canary%2Fword&c=d`)('canary%2Fword is canary/word')).toBe('[secret] is [secret]');
  for (const name of ['password_encryption', 'compass'])
    expect(maskOf(`${name}=scram-sha-256`)('scram-sha-256')).toBe('scram-sha-256');
});

test('every occurrence, the longest first, and nothing else', () => {
  expect(mask(`${env.ALPACA_API_SECRET} and ${env.ALPACA_API_SECRET}`)).toBe('[secret] and [secret]');
  expect(mask('the deposits of production')).toBe('the deposits of production');
});

test('host and port of a URL stay, its password goes', () => {
  expect(mask('db.example.com:5432/an_application_database refused')).toBe(
    'db.example.com:5432/an_application_database refused',
  );
});

test('a mounted file counts where the plain variable is empty, as in the configuration', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'recon-secret-')), 'key');
  onTestFinished(() => rm(dirname(file), { recursive: true }));
  await writeFile(file, 'mounted-canary\n');
  expect(createMask({ ALPACA_API_SECRET: '', ALPACA_API_SECRET_FILE: file })('mounted-canary')).toBe('[secret]');
});

describe('a secret of fewer than eight characters', () => {
  const maskOf = (password: string) => createMask({ DATABASE_URL: `postgres://recon:${password}@db/app` });

  test.each([
    ['s3cr3t', 'cannot connect to postgresql://other:s3cr3t@db:5432/app', 'postgresql://other:[secret]@db:5432/app'],
    ['s3cr3t', 'role "s3cr3t" does not exist', 'role "[secret]" does not exist'],
    ['p%40ss!', 'no such user: p@ss!', 'no such user: [secret]'],
    ['hunter', 'recon:hunter@db', 'recon:[secret]@db'],
    ['hunter', 'PGPASSWORD=hunter', 'PGPASSWORD=[secret]'],
    ['key', '{"password": "key"}', '{"password": "[secret]"}'],
    ['4711', "password='4711'", "password='[secret]'"],
    ['demo', 'api_key=demo', 'api_key=[secret]'],
    ['demo', 'apiKey: "demo"', 'apiKey: "[secret]"'],
    ['demo', '{"api_key":"demo"}', '{"api_key":"[secret]"}'],
    ['demo', 'x-api-key: demo', 'x-api-key: [secret]'],
    ['demo', 'ALPACA_API_KEY=demo', 'ALPACA_API_KEY=[secret]'],
    ['sandbox', 'CIRCLE_API_KEY=sandbox', 'CIRCLE_API_KEY=[secret]'],
    ['4711', 'RECONCILIATION_ALERT_PAGERDUTY_KEY=4711', 'PAGERDUTY_KEY=[secret]'],
    ['hunter', 'secret_key=hunter', 'secret_key=[secret]'],
    ...['APIKEY=', 'secretkey: ', 'routingKey: ', 'Key=', '"key": ', 'message key: ', 'terror key: ', 'the2key='].map(
      (name) => ['demo', `${name}demo`, `${name}[secret]`] as [string, string, string],
    ),
  ])('%s, where a secret stands or no other word does', (password, text, masked) => {
    expect(maskOf(password)(text)).toContain(masked);
    expect(maskOf(password)(`${text} ${text}`).match(/\[secret\]/g)).toHaveLength(2);
  });

  test.each([
    ['e', 'see the key: here'],
    ['key', 'see the key, or the keys: it is a key@example'],
    ['deposit', 'idempotency key: deposit, "idempotencyKey": "deposit", idempotency_key=deposit'],
    ['demo', '{"dedup_key":"demo"}, on conflict key: demo, primary key = demo, Key (idempotency_key)=(demo) exists'],
    ['demo', 'monkey: demo, turkey=demo, WHISKEY=demo, Jockey: "demo"'],
    ['id', 'sort key: id, partition key = id, PARTITION_KEY=id, {"orderIdempotencyKey": "id"}'],
    ['one-row', 'a one-row answer'],
    ['10:30', 'since 10:30'],
    ['5432', 'db:5432 refused, 5432 times'],
    ['4a1b', '9f0c1a2b-4a1b-4a1b-8000-000000000000'],
    ['s3cr3t', 's3cr3ts, and password=s3cr3t2'],
  ])('%s, but no ordinary word, number, or part of either', (password, text) => {
    expect(maskOf(password)(text)).toBe(text);
  });

  test('in a time that does not grow with the square of the text', () => {
    const masked = maskOf('demo');
    const seconds = (text: string) => {
      const begun = performance.now();
      masked(text);
      return (performance.now() - begun) / 1000;
    };
    for (const part of ['key ', ' ', 'idempotency ', 'aK', 'demo'])
      expect(seconds(part.repeat(30_000 / part.length))).toBeLessThan(1);
  });

  test('of a key as of a password', () => {
    const maskKey = createMask({ ALPACA_API_KEY: 'CK1X', ALPACA_API_SECRET: 'ab+1/=' });
    expect(maskKey('key: CK1X, secret: ab+1/=, ab%2B1%2F%3D')).toBe('key: [secret], secret: [secret], [secret]');
  });
});

test('the form of a database URL is no secret, whoever copied it', () => {
  const form = 'DATABASE_URL must be postgres://user:password@host:port/database.';
  for (const DATABASE_URL of [
    'postgres://',
    'postgres://user:password@host:port/database',
    'postgres://recon:password@db/app',
  ])
    expect(createMask({ DATABASE_URL })(form)).toBe(form);
  expect(createMask({ DATABASE_URL: 'postgres://recon:password1@db/app' })('password1')).toBe('[secret]');
});

test('values that are no URL, or malformed ones, do not break it', () => {
  const password = '100%secret-canary';
  expect(createMask({ DATABASE_URL: `postgres://u:${password}@db/app` })(`wrong: ${password}`)).toBe('wrong: [secret]');
  expect(createMask({ DATABASE_URL: 'not a url, canary' })('not a url, canary')).toBe('[secret]');
  expect(createMask({})('nothing to hide')).toBe('nothing to hide');
});
