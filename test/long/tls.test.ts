import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect } from 'vitest';
import { testWith } from '../support/installed.ts';
import { startPostgres } from '../support/postgres-server.ts';

const command = promisify(execFile);
const test = testWith(['openssl']);
const recon = fileURLToPath(new URL('../../bin/recon.js', import.meta.url));

const folder = await mkdtemp('/tmp/recon-tls-');
await chmod(folder, 0o755);
afterAll(() => rm(folder, { recursive: true }));

const openssl = (...args: string[]) => command('openssl', args, { cwd: folder });

/** A certificate for this machine, of an authority of its own; answers the paths of all three files. */
async function certificate(name: string): Promise<{ authority: string; settings: Record<string, string> }> {
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await openssl('req', '-x509', ...key, '-keyout', `${name}.ca.key`, '-out', `${name}.ca.pem`, '-subj', `/CN=${name}`);
  const signed = ['-CA', `${name}.ca.pem`, '-CAkey', `${name}.ca.key`, '-addext', 'subjectAltName=DNS:localhost'];
  await openssl('req', '-x509', ...key, ...signed, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', '/CN=db');
  await chmod(`${folder}/${name}.key`, 0o600);
  if (process.getuid?.() === 0) await chown(`${folder}/${name}.key`, 65534, 65534);
  return {
    authority: `${folder}/${name}.ca.pem`,
    settings: { ssl: 'on', ssl_cert_file: `${folder}/${name}.pem`, ssl_key_file: `${folder}/${name}.key` },
  };
}

describe('a database that speaks TLS', { timeout: 60_000 }, () => {
  test('is believed if its authority is known and its name is right or does not count, else refused', async () => {
    const [own, other] = [await certificate('own'), await certificate('other')];
    const server = await startPostgres({ settings: own.settings });
    try {
      const connect = async (host: string, search: string, authority?: string) => {
        const url = new URL(server.url);
        url.hostname = host;
        url.search = search;
        const extra = authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority };
        const env = { PATH: process.env['PATH'], DATABASE_URL: url.href, ...extra };
        const args = [recon, 'migrate', 'up'];
        return command(process.execPath, args, { env }).then(
          () => [0, ''],
          (error: unknown) => [(error as { code: number }).code, (error as { stderr: string }).stderr],
        );
      };
      const [full, ca] = ['sslmode=verify-full', 'sslmode=verify-ca'];
      const named = ({ authority }: typeof own) => `&sslrootcert=${authority}`;
      const believed = [0, ''];
      expect(await connect('localhost', full, own.authority)).toEqual(believed);
      for (const mode of [full, ca, 'sslmode=require'])
        expect(await connect('localhost', mode + named(own)), mode).toEqual(believed);
      for (const mode of [ca, 'sslmode=require'])
        expect(await connect('127.0.0.1', mode + named(own)), 'whatever the name').toEqual(believed);
      for (const refused of [full, full + named(other), ca + named(other), `sslmode=require${named(other)}`])
        expect(await connect('localhost', refused), refused).toEqual([
          78,
          expect.stringMatching(
            /^recon: The certificate of the database at localhost:\d+\/postgres cannot be trusted: .*\nLet DATABASE_URL name the file of its authority: \?sslmode=verify-full&sslrootcert=FILE\./,
          ),
        ]);
      for (const mode of [full, ca])
        expect(await connect('127.0.0.1', mode, own.authority), mode).toEqual([
          78,
          expect.stringMatching(
            /^recon: The certificate of the database at 127\.0\.0\.1:\d+\/postgres is for localhost: .*\nLet DATABASE_URL have the host that the certificate is for\./,
          ),
        ]);
    } finally {
      await server.stop();
    }
  });
});
