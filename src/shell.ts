import { plain } from './plain.ts';

/** One word of a POSIX shell, whatever is in it; without quotes where it needs none. */
export function forShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Those that read the environment. What stands in quotes is a name, such as that of a lock. */
const commands =
  /(?<![\w"/.-])recon (?=(?:run|status|exceptions|corrections|reports|checks|alerts|metrics|migrate|doctor|schedule|purge)\b)/g;

/** For node: from the variable or from the file that it names, as recon reads a secret. */
const databaseUrl = 'process.env.DATABASE_URL || fs.readFileSync(process.env.DATABASE_URL_FILE, "utf8")';

/**
 * Words of recon's own, each command in them with the `--env-file` that this one was given: so it can be copied. A shell
 * that has no DATABASE_URL has Node read the file for psql, as recon does: what is right there need not be a shell's.
 */
export function asCalled(words: string, envFile: string | undefined): string {
  if (envFile === undefined) return words;
  const file = plain(forShell(envFile));
  return words
    .replace(commands, () => `recon --env-file ${file} `)
    .replace('psql "$DATABASE_URL"', () => `psql "$(node --env-file=${file} -p '${databaseUrl}')"`);
}
