import { fileURLToPath } from 'node:url';
import { shipped } from '../shipped.ts';
import { variables } from '../environment/variables.ts';

/**
 * What the variable is that a sentence begins with, such as `DATABASE_URL is not set.`, and where to set it: whoever has
 * never set it has to learn that. Undefined where it begins with none.
 */
export function meaningOf(sentence: string): string | undefined {
  const variable = variables.find(({ name }) => sentence.startsWith(`${name} `));
  return variable && `${variable.meaning}. ${whereToSet}`;
}

const whereToSet = `Set it in the environment, or in the file that --env-file names: begin with a copy of ${fileURLToPath(shipped('.env.example'))}.`;
