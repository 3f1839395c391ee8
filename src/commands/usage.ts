import type { Command, CommanderError } from 'commander';
import { OperatorError } from '../operator-error.ts';
import { suggest } from '../suggestion.ts';

/** What commander found wrong with the command line of this command, told as every other mistake is. */
export function usageError({ code, message }: CommanderError, command: Command): OperatorError {
  if (code === 'commander.help') return new OperatorError(64, 'No command was given.'); // its help stands above
  const found = inOurWords(message.replace(/^error: /, ''));
  const sentence = /[.?]$/.test(found) ? found : `${found}.`;
  const nearest = meant(code, message, command);
  return new OperatorError(
    64,
    nearest === undefined ? sentence : `${sentence} Did you mean ${nearest}?`,
    `\`${pathOf(command)} --help\` shows how it is called.`,
  );
}

/** What commander calls by the words of a parser. */
function inOurWords(text: string): string {
  return text
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*?)'\./, "<$2> cannot be '$1'.")
    .replace(/^option '(?:-\w, )?(--[\w-]+).*?' argument '(.*)' is invalid\./, "$1 cannot be '$2'.")
    .replace(/^option '(?:-\w, )?(--[\w-]+.*)' argument missing$/, '$1 needs a value')
    .replace(/^required option '(.*)' not specified$/, '$1 is needed')
    .replace(/^missing required argument '(.*)'$/, '<$1> is needed');
}

/** The flag or command that was probably meant. */
function meant(code: string, message: string, command: Command): string | undefined {
  const { parent, args } = command;
  const [, typed = ''] = /'([^'=]*)/.exec(message) ?? [];
  switch (code) {
    case 'commander.unknownOption':
      return suggest(typed, flagsOf(command));
    case 'commander.unknownCommand':
      return suggest(typed, namesIn(command));
    case 'commander.excessArguments': // where a command need not be named, the mistyped name is taken for an argument
      return parent === null || isNamed(command, parent) ? undefined : suggest(args[0] ?? '', namesIn(parent));
    default:
      return undefined;
  }
}

/** Its own and those of the commands above it. */
function flagsOf({ options, parent }: Command): string[] {
  const own = options.flatMap(({ long }) => long ?? []);
  return [...own, ...(parent === null ? ['--help'] : flagsOf(parent))];
}

/** Whether it stands in the command line, and is not what its parent does by itself. */
function isNamed(command: Command, { args: [named = ''] }: Command): boolean {
  return [command.name(), ...command.aliases()].includes(named);
}

function namesIn({ commands }: Command): string[] {
  return commands.map((command) => command.name());
}

function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
