import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inReadOnly, openDatabase } from '../../src/database/database.ts';
import { explainProblem } from '../../src/database/problem.ts';
import { parametersOf, tlsOf } from '../../src/database/url-parameters.ts';
import { emptyDatabase, testDatabase } from '../support/database.ts';
import { recon, reconIn, testWorld } from '../support/world.ts';

/** A server that is no PostgreSQL, until the test is over, and how often it was called. */
async function somethingElse(server: Server): Promise<{ url: string; called: () => number }> {
  let calls = 0;
  server.on('connection', (socket) => {
    calls += 1;
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `postgres://recon:canary-password@127.0.0.1:${port}/app`, called: () => calls };
}

describe('a server that is no PostgreSQL', { timeout: 30_000 }, () => {
  test.each([
    ['closes at once', () => createServer((socket) => socket.end())],
    ['closes after the first bytes', () => createServer((socket) => socket.once('data', () => socket.end('?')))],
    ['answers in HTTP', () => createHttpServer()],
  ])('that %s: one sentence and 3, after a call or two', async (_, server) => {
    const { url, called } = await somethingElse(server());
    for (const argv of [['run'], ['run', '--dry-run'], ['exceptions', 'list'], ['migrate', 'up']]) {
      const before = called();
      const { exitCode, stdout, stderr } = await recon(argv, { env: { DATABASE_URL: url } });
      expect([exitCode, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(
        /^recon: What listens at 127\.0\.0\.1:\d+\/app closes connections before they are made \(CLOSED_ON_CONNECT\): it may be no PostgreSQL\.\nCheck the host and port in DATABASE_URL, and that the server is up\.\nrecon: exit 3\n$/,
      );
      expect(called() - before).toBeLessThan(3);
    }
  });

  test('that says nothing: a signal ends the waiting', async () => {
    const { url, called } = await somethingElse(createServer());
    const world = testWorld({ env: { DATABASE_URL: url } });
    const outcome = reconIn(world, ['run']);
    await expect.poll(called).toBe(1);
    const sent = performance.now();
    world.interrupt('SIGTERM');
    expect(await outcome).toMatchObject({ exitCode: 143, stderr: 'recon: interrupted by SIGTERM\nrecon: exit 143\n' });
    expect(performance.now() - sent).toBeLessThan(3_000);
  });
});

test('a server without TLS where sslmode asks for it: 78, and says TLS', async () => {
  const { url } = await emptyDatabase();
  const withMode = (mode: string) => ({ env: { DATABASE_URL: `${url}?sslmode=${mode}` } });
  for (const mode of ['require', 'verify-full']) {
    const { exitCode, stderr } = await recon(['migrate', 'status'], withMode(mode));
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(
      /^recon: The database at \S+ does not speak TLS, which sslmode in DATABASE_URL asks for\.\n/,
    );
  }
  expect((await recon(['migrate', 'status'], withMode('prefer'))).exitCode).toBe(2);
});

describe('what stands behind the question mark of a URL', () => {
  test('words of clients that change nothing here may stand there, and those of the server are its own', async () => {
    const { url } = await emptyDatabase();
    const idle =
      'pgbouncer=true&uselibpqcompat=true&channel_binding=prefer&gssencmode=disable&keepalives=1&keepalives_idle=30&target_session_attrs=read-write&connect_timeout=3&sslnegotiation=postgres';
    const own = 'statement_timeout=7s&application_name=recon%20two&options=-c%20work_mem%3D5MB';
    const database = openDatabase(`${url}?${idle}&${own}`, { connections: 1 });
    onTestFinished(() => database.end());
    const [row] = await inReadOnly(
      database,
      (transaction) => transaction`
        select
          current_setting('statement_timeout') as timeout,
          current_setting('application_name') as name,
          current_setting('work_mem') as memory,
          current_setting('datestyle') as style
      `,
    );
    expect(row).toEqual({ timeout: '7s', name: 'recon two', memory: '5MB', style: 'ISO, MDY' });
  });

  test.each([
    ['schema=public', 'unrecognized configuration parameter "schema" (42704)'],
    ['max=1', 'unrecognized configuration parameter "max" (42704)'],
    ['statement_timeout=abc', 'invalid value for parameter "statement_timeout": "abc" (22023)'],
    ['port=5432', 'parameter "port" cannot be changed without restarting the server (55P02)'],
    ['options=-c%20pool.size', '(42601)'],
  ])('what the server refuses there: 78 and whose it is: %s', async (parameter, said) => {
    const { url } = await emptyDatabase();
    const refused = `${url}?${parameter}`;
    for (const argv of [['run'], ['migrate', 'status'], ['doctor']]) {
      const { exitCode, stdout, stderr } = await recon(argv, { env: { DATABASE_URL: refused } });
      expect(exitCode).toBe(argv[0] === 'doctor' ? 2 : 78);
      const told = `${stdout}${stderr}`.replace(/\s+/g, ' ');
      expect(told).toMatch(/DATABASE_URL has a parameter that the server at \S+ refuses: /);
      expect(told).toContain(said);
      expect(told).toContain('Take it out of DATABASE_URL');
    }
    const { url: main } = await testDatabase();
    const { stderr } = await recon(['run', '--dry-run'], { env: { DATABASE_URL: main, SOURCE_DATABASE_URL: refused } });
    expect(stderr).toContain('SOURCE_DATABASE_URL has a parameter that the server at');
  });

  test('what PgBouncer refuses there is no database that cannot be reached', async () => {
    const said = ['SFATAL', 'VFATAL', 'C08P01', 'Munsupported startup parameter: schema', ''].join('\0') + '\0';
    const head = Buffer.alloc(5);
    head.write('E');
    head.writeInt32BE(said.length + 4, 1);
    const { url } = await somethingElse(
      createServer((socket) => socket.once('data', () => socket.end(Buffer.concat([head, Buffer.from(said)])))),
    );
    const { exitCode, stderr } = await recon(['migrate', 'status'], { env: { DATABASE_URL: `${url}?schema=public` } });
    expect(stderr).toMatch(
      /^recon: DATABASE_URL has a parameter .*: unsupported startup parameter: schema \(08P01\)\./,
    );
    expect(exitCode).toBe(78);
  });

  test('how far TLS is asked for: a name is only left out of account where the authority is one’s own', () => {
    const authority = fileURLToPath(import.meta.url); // any file
    const asked = (search: string) => tlsOf(parametersOf(`postgres://db/app?${search}`));
    expect(['', 'sslmode=disable', 'sslmode=prefer', 'sslmode=require'].map(asked)).toEqual([
      false,
      false,
      'prefer',
      'require',
    ]);
    for (const strict of ['sslmode=verify-full', 'sslmode=verify-ca', 'sslrootcert=system'])
      expect(asked(strict)).toBe('verify-full');
    const named = `&sslrootcert=${authority}`;
    expect(asked(`sslmode=verify-full${named}`)).toEqual({ ca: expect.any(String) as string });
    for (const mode of ['verify-ca', 'require'])
      expect(asked(`sslmode=${mode}${named}`)).toMatchObject({ checkServerIdentity: expect.any(Function) as unknown });
  });
});

test.each([
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    { cert: { subjectaltname: 'DNS:db.example.com, IP Address:10.0.0.7' } },
    'is for db.example.com, 10.0.0.7: ',
    'Let DATABASE_URL have the host that the certificate is for.',
  ],
  ['ERR_TLS_CERT_ALTNAME_INVALID', {}, 'is for another name: ', 'Let DATABASE_URL have the host'],
  ['CERT_HAS_EXPIRED', {}, 'cannot be trusted: ', 'Renew it at the server'],
  ['SELF_SIGNED_CERT_IN_CHAIN', {}, 'cannot be trusted: ', 'name the file of its authority: ?sslmode=verify-full&sslr'],
])('a certificate that is refused is told with what mends it: %s', (code, more, fact, hint) => {
  const error = Object.assign(new Error('as Node says it'), { code, ...more });
  const told = explainProblem(error, 'postgres://u:canary@wrong.example.com/app')!;
  expect(told).toMatchObject({
    exitCode: 78,
    message: expect.stringContaining(`at wrong.example.com:5432/app ${fact}as Node says it (${code}).`) as string,
    hint: expect.stringContaining(hint) as string,
  });
});

test('a pool does not end with what is connected when its signal is aborted', async () => {
  const { url } = await emptyDatabase();
  const controller = new AbortController();
  const database = openDatabase(url, { connections: 2, signal: controller.signal });
  onTestFinished(() => database.end());
  const one = () => inReadOnly(database, (transaction) => transaction`select 1 as one`);
  await one();
  controller.abort();
  expect(await Promise.all([one(), one()])).toMatchObject([[{ one: 1 }], [{ one: 1 }]]);
});

test('a connection that was being made when its pool ended is closed: it would keep the process alive', async () => {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket)).on('error', () => undefined);
  });
  const { url, called } = await somethingElse(server);
  const database = openDatabase(url, { connections: 1 });
  const asked = inReadOnly(database, (transaction) => transaction`select`);
  const refused = expect(asked).rejects.toThrow();
  await database.end({ timeout: 0 });
  await expect.poll(called).toBe(1);
  await expect.poll(() => open.size).toBe(0);
  await refused;
});
