import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inReadOnly, openDatabase } from '../../src/database/database.ts';
import { emptyDatabase } from '../support/database.ts';
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
