import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { forShell } from '../shell.ts';
import { ofNode, variables } from '../environment/variables.ts';
import type { World } from '../world.ts';
import { warning, type Opinion } from './examination.ts';

/** Which secrets of the file of `--env-file` every user of the machine may read. A group may: it can be that of recon. */
export function exposed({ envFile }: World): Opinion[] {
  if (envFile === undefined || !isOpen(envFile)) return [];
  const content = parseEnv(readFileSync(envFile, 'utf8'));
  const secrets = variables.filter(({ name, kind }) => kind === 'secret' && (content[name] ?? '') !== '');
  if (secrets.length === 0) return [];
  return [
    warning(
      `Every user of this machine may read ${envFile}, in which ${secrets.map(({ name }) => name).join(', ')} ${secrets.length === 1 ? 'is' : 'are'}.`,
      `chmod 600 ${forShell(envFile)}   # it has to belong to the user that recon runs as`,
    ),
  ];
}

/**
 * The file of authorities for Circle, Alpaca and whoever is told. Node reads that variable as it starts, so `--env-file`
 * comes too late with it (`withEnvFile` leaves it out); where systemd or Docker read the same file it is in time.
 */
export function tooLate({ env, envFile }: World): Opinion[] {
  if (envFile === undefined || (env[ofNode] ?? '') !== '' || !isFile(envFile)) return [];
  if ((parseEnv(readFileSync(envFile, 'utf8'))[ofNode] ?? '') === '') return [];
  return [
    warning(
      `${ofNode} has no effect in ${envFile}: Node reads it before recon reads the file.`,
      `Set ${ofNode} where recon is started, such as in a line of the crontab; the authority of a database is named by sslrootcert in its URL.`,
    ),
  ];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** A pipe, such as `<(…)` of a shell, is read once, and gone. */
function isOpen(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file?.isFile() === true && (file.mode & readableByOthers) !== 0;
}

const readableByOthers = 0o004;
