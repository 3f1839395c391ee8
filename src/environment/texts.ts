import { readFileSync } from 'node:fs';
import { suggest } from '../suggestion.ts';
import { variables, type Variable, type VariableName } from './variables.ts';
import type { World } from '../world.ts';

type Environment = World['env'];

/** What the environment says, with the defaults of what it does not say, as text; and what is wrong with its names and files. */
export function readTexts(env: Environment): {
  texts: Readonly<Record<VariableName, string | undefined>>;
  problems: string[];
} {
  const problems = unknownNames(env);
  const texts = {} as Record<VariableName, string | undefined>;
  for (const variable of variables) texts[variable.name] = readVariable(env, variable, problems);
  return { texts, problems };
}

/** The value, from the variable itself or, for a secret, from the file that `<NAME>_FILE` names; empty counts as unset. */
function readVariable(env: Environment, variable: Variable, problems: string[]): string | undefined {
  const value = env[variable.name]?.trim();
  const file = variable.kind === 'secret' ? env[`${variable.name}_FILE`]?.trim() : undefined;
  if (value && file) problems.push(`${variable.name} and ${variable.name}_FILE are both set: unset one of them.`);
  if (!value && file) return readSecretFile(`${variable.name}_FILE`, file, problems);
  return value ? value : variable.default;
}

function readSecretFile(name: string, path: string, problems: string[]): string | undefined {
  try {
    const value = readFileSync(path, 'utf8').trim();
    if (value === '') problems.push(`${name} names an empty file: ${path}.`);
    return value;
  } catch (error) {
    problems.push(
      `${name} names a file that cannot be read: ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
    );
    return undefined;
  }
}

const prefix = 'RECONCILIATION_';

/** The part that tells them apart: what all have in common would make any two look alike. */
function withoutPrefix(name: string): string {
  return name.slice(prefix.length);
}

/** A misspelled variable would silently keep its default. CIRCLE_* and ALPACA_* are shared with the host: not judged. */
function unknownNames(env: Environment): string[] {
  const known: string[] = variables
    .flatMap(({ name, kind }) => (kind === 'secret' ? [name, `${name}_FILE`] : [name]))
    .filter((name) => name.startsWith(prefix));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .sort()
    .map((name) => {
      const nearest = suggest(withoutPrefix(name), known.map(withoutPrefix));
      return `${name} is not a variable of recon.${nearest === undefined ? '' : ` Did you mean ${prefix}${nearest}?`}`;
    });
}
