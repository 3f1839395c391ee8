import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  honoured,
  isAboutTrust,
  parametersOf,
  sslModes,
  system,
  withoutEffect,
  type UrlParameters,
} from '../database/url-parameters.ts';
import { databaseUrlForm } from './variables.ts';
import type { World } from '../world.ts';

/** What is wrong with the URL of a database, told after the name of its variable and without a part of its value; else undefined. */
export function wrongInDatabaseUrl(value: string): string | undefined {
  return wrongInPlace(value) ?? wrongInParameters(parametersOf(value));
}

/**
 * What is wrong with a URL that says nothing of TLS where another variable asks for it, told in the same way: nobody reads
 * that one, and the connection would be in the clear. `allow` and `prefer` promise no TLS.
 */
export function wrongWithoutTls(url: string, env: World['env']): string | undefined {
  const { sslmode, sslrootcert } = parametersOf(url);
  if (sslmode !== undefined || sslrootcert !== undefined) return undefined;
  const name = ['PGSSLMODE', 'PGSSL'].find((each) => !/^(disable|false|allow|prefer|)$/.test(env[each]?.trim() ?? ''));
  return (
    name && `has no sslmode, and ${name}, which asks for TLS, is not read: put sslmode=require or verify-full into it`
  );
}

const likeThis = `it must be ${databaseUrlForm}`;
const cutOff =
  'a # in the password is written as %23 (in an env file what follows a # is a comment), and so is @ as %40, / as %2F and ? as %3F';

function wrongInPlace(value: string): string | undefined {
  if (/^["'`]/.test(value))
    return 'stands in quotes, which are taken for a part of it: take them off (Docker keeps them)';
  if (!/^postgres(ql)?:\/\//.test(value)) return `does not begin with postgres://: ${likeThis}`;
  const [, hosts = '', path = ''] = /^[^:]+:\/\/(?:[^@/?#]*@)?([^/?#]*)([^?#]*)/.exec(value) ?? [];
  if (/,|%2c/i.test(hosts)) return 'must name one host'; // the driver tries those of a list in turn and for ever
  if (hosts === '') return `names no host: ${likeThis}`;
  if (path.length < 2) return `names no database: ${likeThis}; ${cutOff}`;
  return wrongInPort(hosts) ?? wrongInSpelling(value);
}

function wrongInPort(host: string): string | undefined {
  const [, port = ''] = /^(?:\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
  if (port === '' || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) return undefined;
  return 'has a port that is none: it must be a number from 1 to 65535';
}

function wrongInSpelling(value: string): string | undefined {
  if (!isDecodable(value)) return 'has a percent sign that must be written as %25';
  return URL.canParse(value) ? undefined : `names a host that is none: ${likeThis}`;
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

function wrongInParameters(parameters: UrlParameters): string | undefined {
  for (const [name, value = ''] of Object.entries(parameters)) {
    if (honoured.includes(name) || hasNoEffect(name, value)) continue;
    if (isAboutTrust(name)) return `has a parameter that recon cannot honour: ${notHonoured(name)}`;
  }
  return wrongInTrust(parameters) ?? wrongInPatience(parameters);
}

function hasNoEffect(name: string, value: string): boolean {
  return Object.hasOwn(withoutEffect, name) && withoutEffect[name]?.test(value) === true;
}

/** Names that are known are said; of others nobody knows what was pasted there. */
function notHonoured(name: string): string {
  return `${name.replace(/\W.*/s, '…')}; take it out, ${insteadOf(name)}`;
}

function insteadOf(name: string): string {
  if (/^p/i.test(name)) return `for a password has its place: ${likeThis}`;
  if (name === 'ssl') return 'and ask for TLS by sslmode=require or verify-full';
  return 'and ask for TLS by sslmode=verify-full, which has the server prove who it is';
}

function wrongInTrust({ sslmode, sslrootcert }: UrlParameters): string | undefined {
  if (sslmode !== undefined && !(sslModes as readonly string[]).includes(sslmode))
    return `may have an sslmode of ${sslModes.join(', ')}`;
  if (sslrootcert === undefined) return undefined;
  if (sslrootcert === system)
    return sslmode === undefined || sslmode === 'verify-full'
      ? undefined
      : 'has sslrootcert=system, which wants sslmode=verify-full';
  if (sslmode === undefined || !/^(require|verify-)/.test(sslmode))
    return 'has an sslrootcert, which wants sslmode=verify-full';
  return wrongInAuthority(sslrootcert);
}

function wrongInAuthority(path: string): string | undefined {
  try {
    new X509Certificate(readFileSync(path, 'utf8')); // as text it is only a certificate in PEM, which TLS of Node wants
    return undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code.startsWith('ERR_')
      ? `has an sslrootcert, a file that holds no certificate in PEM: ${path} (one in DER: openssl x509 -inform der -in FILE -out FILE.pem converts it)`
      : `has an sslrootcert, a file that cannot be read: ${path} (${code})`;
  }
}

function wrongInPatience({ connect_timeout: seconds = '10' }: UrlParameters): string | undefined {
  return /^[1-9]\d{0,3}$/.test(seconds)
    ? undefined
    : 'has a connect_timeout that is no number of seconds from 1 to 9999 (0 would wait for ever)';
}
