import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

/**
 * What stands behind the question mark of the URL of a database; of a name that stands there twice the last counts. What
 * is no word of a client goes to the server as a setting of the session, and the server refuses what it does not know.
 */
export type UrlParameters = Readonly<Partial<Record<string, string>>>;

export function parametersOf(url: string): UrlParameters {
  return Object.fromEntries(new URL(url).searchParams);
}

/** All that the driver is left to read for itself: it has words of its own, such as `max`. */
export function withoutParameters(url: string): string {
  const bare = new URL(url);
  bare.search = '';
  return bare.href;
}

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** What recon does as a client (PostgreSQL, "Parameter Key Words"). */
export const honoured: readonly string[] = ['sslmode', 'sslrootcert', 'sslnegotiation', 'connect_timeout'];

const any = /^/;
const notAsked = /^(disable|prefer)$/;

/** Words of libpq, Prisma and node-postgres that change nothing here, as long as their value is such a one. */
export const withoutEffect: Readonly<Partial<Record<string, RegExp>>> = {
  channel_binding: notAsked,
  gssencmode: notAsked,
  keepalives: any,
  keepalives_count: any,
  keepalives_idle: any,
  keepalives_interval: any,
  tcp_user_timeout: any,
  target_session_attrs: any, // there is one host; who wants to write on a replica is told so
  pgbouncer: any, // recon keeps nothing in a session anyway
  uselibpqcompat: any, // sslmode means what libpq means by it
};

/** Names that PostgreSQL or another client may only be asked to trust somebody by: not to be sent in the clear, or lost. */
export function isAboutTrust(name: string): boolean {
  return /^(ssl|require|channel_binding$|gss|krb)/i.test(name) || isPassword(name);
}

/** What many a client takes a password by, or the file of one. `password_encryption` is a setting of the server. */
export function isPassword(name: string): boolean {
  return /^(ssl)?(pass(word|wd|file)?|pwd)$/i.test(name);
}

/** What is left for the server. */
export function settingsOf(parameters: UrlParameters): Record<string, string> {
  const ofClient = [...honoured, ...Object.keys(withoutEffect)];
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value = '']) => (ofClient.includes(name) ? [] : [[name, value]])),
  );
}

/**
 * How far TLS is asked for and whom it trusts, as the driver takes it. The name of the server counts unless the file of
 * one's own authority is named (`require` then means `verify-ca`, as in libpq): of all public authorities anybody has a
 * certificate.
 */
export function tlsOf({ sslmode, sslrootcert }: UrlParameters): TlsOfDriver {
  if (sslrootcert !== undefined && sslrootcert !== system)
    return { ca: readFileSync(sslrootcert, 'utf8'), ...(sslmode !== 'verify-full' && whateverName) };
  if (sslrootcert === system || sslmode?.startsWith('verify-') === true) return 'verify-full';
  return sslmode === undefined || sslmode === 'disable' ? false : (sslmode as 'allow' | 'prefer' | 'require');
}

export type TlsOfDriver = false | 'allow' | 'prefer' | 'require' | 'verify-full' | ConnectionOptions;

/** Of `sslrootcert`: the authorities that Node trusts. */
export const system = 'system';

const whateverName = { checkServerIdentity: () => undefined } satisfies ConnectionOptions;

/** Whether the server has to prove who it is. */
export function isVerified(parameters: UrlParameters): boolean {
  return parameters['sslrootcert'] !== undefined || parameters['sslmode']?.startsWith('verify-') === true;
}
