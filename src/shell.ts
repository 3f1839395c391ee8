import { plain } from './plain.ts';

/** One word of a POSIX shell, whatever is in it; without quotes where it needs none. */
export function forShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Those that read the environment. What stands in quotes is a name, such as that of a lock. */
const commands =
  /(?<![\w"/.-])recon (?=(?:run|status|exceptions|corrections|reports|checks|alerts|metrics|migrate|doctor|schedule|purge)\b)/g;

/** Words of recon's own, each command in them with the `--env-file` that this one was given: so it can be copied. */
export function asCalled(words: string, envFile: string | undefined): string {
  if (envFile === undefined) return words;
  return words.replace(commands, () => `recon --env-file ${plain(forShell(envFile))} `);
}
