import { flowed } from '../flowed.ts';
import type { Step } from '../status/next-steps.ts';
import { excerpt, type Screen } from './screen.ts';

/** What to do next, as commands to copy, each with its reason below it. */
export function stepLines(steps: readonly Step[], screen: Screen): string {
  const lines = steps.map(
    ({ command, why }) =>
      `  ${screen.command(command)}\n${flowed('      ', screen.faint(excerpt(why)), screen.columns)}`,
  );
  return `next\n${lines.join('')}`;
}
