import type { Command, CommanderError } from 'commander';
import { OperatorError } from '../operator-error.ts';
import { suggest } from '../suggestion.ts';

/** What commander found wrong with the command line of this command, told as every other mistake is. */
export function usageError({ code, message }: CommanderError, command: Command): OperatorError {
  if (code === 'commander.help') return new OperatorError(64, 'No command was given.'); // its help stands above
  const found = message.replace(/^error: /, '').replace(/\n\((.*)\)$/, '. $1'); // what it suggests, in a line of its own
  const sentence = /[.?]$/.test(found) ? found : `${found}.`;
  return new OperatorError(
    64,
    `${sentence}${otherCommand(code, command)}`,
    `\`${pathOf(command)} --help\` shows how it is called.`,
  );
}

/** Where a command need not be named (`recon migrate`), the mistyped name of another one is taken for its argument. */
function otherCommand(code: string, { parent, args: [typed = ''] }: Command): string {
  if (code !== 'commander.excessArguments' || parent === null) return '';
  const names = parent.commands.map((command) => command.name());
  const nearest = suggest(typed, names);
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}

function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
