import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { forShell } from '../shell.ts';
import { variables } from '../environment/variables.ts';
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

/** A pipe, such as `<(…)` of a shell, is read once, and gone. */
function isOpen(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file?.isFile() === true && (file.mode & readableByOthers) !== 0;
}

const readableByOthers = 0o004;
