import { Command } from 'commander';
import { actionNames } from '../exceptions/actions.ts';
import { applyCommand } from './exceptions-apply.ts';
import { changeCommand } from './exceptions-change.ts';
import { listCommand } from './exceptions-list.ts';
import { showCommand } from './exceptions-show.ts';
import type { CommandContext } from './options.ts';

/** `recon exceptions`. */
export function exceptionsCommand(context: CommandContext): Command {
  const command = new Command('exceptions')
    .description('the discrepancies that were found, and what became of them')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context));
  for (const name of actionNames) command.addCommand(changeCommand(context, name));
  return command.addCommand(applyCommand(context));
}
