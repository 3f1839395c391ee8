import { flowed } from '../flowed.ts';
import type { Screen } from './screen.ts';

/** Each fact behind its name, going on below itself where the screen is narrow; what is empty is left out. */
export function factTable(facts: readonly (readonly [name: string, value: string])[], screen: Screen): string {
  const told = facts.filter(([, value]) => value !== '');
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, value]) => flowed(`${screen.faint(name.padEnd(width))}  `, value, screen.columns)).join('');
}
