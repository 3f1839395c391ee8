import { Argument, Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import { suggest } from '../suggestion.ts';
import { OperatorError } from '../operator-error.ts';
import type { World } from '../world.ts';
import { variables, type Variable } from '../variables.ts';
import type { CommandContext } from './options.ts';
import { print } from './print.ts';

const topics = ['exit-codes', 'environment'] as const;

/** `recon help [topic]`: a command's help, or one of the tables that belong to no command. */
export function helpCommand({ world }: CommandContext, program: Command): Command {
  return new Command('help')
    .description('help on a command, on exit-codes or on the environment')
    .addArgument(new Argument('[topic...]', 'a command, exit-codes or environment'))
    .action(async (topic: string[]) => {
      if (topic[0] === 'exit-codes') return printExitCodes(world);
      if (topic[0] === 'environment') return printEnvironment(world);
      return print(world.stdout, commandNamed(program, topic).helpInformation());
    });
}

function commandNamed(program: Command, path: readonly string[]): Command {
  return path.reduce((command, name) => {
    const next = command.commands.find((candidate) => candidate.name() === name);
    if (next !== undefined) return next;
    const nearest = suggest(name, [...topics, ...program.commands.map((candidate) => candidate.name())]);
    throw new OperatorError(
      64,
      `There is no help on "${name}".`,
      nearest === undefined ? 'Run `recon help`.' : `Did you mean ${nearest}?`,
    );
  }, program);
}

async function printExitCodes(world: World): Promise<void> {
  const { renderTable } = await import('../output/table.ts');
  const rows = exitCodes.map(({ code, meaning, retry }) => [String(code), meaning, retry]);
  await print(world.stdout, renderTable([{ header: 'exit' }, { header: 'meaning' }, { header: 'try again?' }], rows));
}

async function printEnvironment(world: World): Promise<void> {
  const { renderTable } = await import('../output/table.ts');
  const rows = variables.map((variable: Variable) => [
    variable.name,
    describeType(variable),
    variable.default ?? '',
    describeUse(variable),
  ]);
  const columns = [{ header: 'variable' }, { header: 'type' }, { header: 'default' }, { header: 'meaning' }];
  await print(
    world.stdout,
    `${renderTable(columns, rows)}\nA secret may also come from a file: NAME_FILE holds its path. Durations: 90s, 10m, 24h, 3d.\n`,
  );
}

function describeType({ kind, choices }: Variable): string {
  return choices === undefined ? kind : choices.join('|');
}

function describeUse({ meaning, notYet }: Variable): string {
  return notYet === true ? `${meaning} (checked, but without effect in this release)` : meaning;
}
