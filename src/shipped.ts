import { fileURLToPath } from 'node:url';

/**
 * A file or folder that ships with recon, by its path in the package: `sql/roles.sql`. The build puts every module flat
 * into dist/, as far from the package's root as src/ is: so this file must stay here.
 */
export function shipped(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

/** What to do about each alert, and about what keeps a run from telling. */
export const runbook = fileURLToPath(shipped('deploy/runbook.md'));

/** For a database administrator: the rights that recon needs, as roles. */
export const rolesFile = fileURLToPath(shipped('sql/roles.sql'));

/** How recon's tables are backed up and restored. */
export const recovery = fileURLToPath(shipped('deploy/backup.md'));
