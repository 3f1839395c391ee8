import type { Command, CommanderError } from 'commander';
import { OperatorError } from '../operator-error.ts';
import { suggest } from '../suggestion.ts';

/** What commander found wrong with the command line of this command, told as every other mistake is. */
export function usageError({ code, message }: CommanderError, command: Command): OperatorError {
  if (code === 'commander.help') return new OperatorError(64, 'No command was given.'); // its help stands above
  const { parent, args } = command;
  // where a command need not be named, a mistyped name is taken for an argument of the one that is meant then
  if (code === 'commander.excessArguments' && parent !== null && !isNamed(command, parent))
    return mistake('commander.unknownCommand', `unknown command '${args[0] ?? ''}'`, parent);
  return mistake(code, message.replace(/^error: /, ''), command);
}

function mistake(code: string, message: string, command: Command): OperatorError {
  const found = inOurWords(message);
  const sentence = /[.?]$/.test(found) ? found : `${found}.`;
  const nearest = meant(code, message, command);
  return new OperatorError(
    64,
    nearest === undefined ? sentence : `${sentence} Did you mean ${nearest}?`,
    howToCall(command),
  );
}

/** A flag that was given where the value of another one was forgotten would become that value: `--note --yes`. */
export function refuseFlagsAsValues(command: Command): void {
  for (const option of command.options.filter(({ required }) => required))
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (typeof value === 'string' && allFlagsOf(command).includes(value))
        throw new OperatorError(64, `${option.long ?? ''} needs a value, and ${value} is a flag.`, howToCall(command));
    });
}

function howToCall(command: Command): string {
  return `\`${pathOf(command)} --help\` shows how it is called.`;
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
  const [, typed = ''] = /'([^'=]*)/.exec(message) ?? [];
  switch (code) {
    case 'commander.unknownOption':
      return suggest(typed, flagsOf(command));
    case 'commander.unknownCommand':
      return suggest(typed, namesIn(command));
    default:
      return undefined;
  }
}

function allFlagsOf(command: Command): string[] {
  const short = command.options.flatMap((option) => option.short ?? []);
  return [...flagsOf(command), ...short];
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
