import { Argument, Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { Column } from '../output/table.ts';
import { whichOf } from '../suggestion.ts';
import { OperatorError } from '../operator-error.ts';
import type { World } from '../world.ts';
import { variables, type Variable } from '../environment/variables.ts';
import type { CommandContext } from './options.ts';
import { print } from './print.ts';

export const topics = ['exit-codes', 'environment', 'output'] as const;

const output = `stdout carries the result and nothing else; stderr carries logs, progress and
what is said about the result.

-o table   for people; its text may change with any release
-o json    a contract: {"version": 1, …}, names in snake_case; members may be
           added. Amounts are strings at full precision, times RFC 3339 in UTC,
           ids whole, values that do not exist null
-o csv     RFC 4180 with a header line. A cell that a spreadsheet would run, or
           round (more than 15 digits), begins with an apostrophe
-o html    (reports show) one file with charts, which needs no script and
           nothing from elsewhere

Times      tables show them in the zone of the terminal (TZ), with its offset;
           where a terminal is narrow, some as an age
Ids        tables show eight characters; every command takes any beginning that
           is not ambiguous
Amounts    in brackets: what is at stake where no two sides can be subtracted
Colour     on a terminal only; never alone: what is coloured is also a word.
           FORCE_COLOR=1 or 0 decides, else NO_COLOR, CI or TERM=dumb switch it
           off
Width      on a terminal what finds no room in a line goes on below it, whole; a
           pipe has room for any line
Text       what comes from a database or an API has its control characters
           escaped (\\u001b), and is cut off on screens where it is a flood
`;

const examples = `
Examples:
  recon help exit-codes
  recon help exceptions list`;

/** `recon help [topic]`: a command's help, or one of the tables that belong to no command. */
export function helpCommand({ world }: CommandContext, program: Command): Command {
  return new Command('help')
    .description('help on a command, on exit-codes, environment or output')
    .addArgument(new Argument('[topic...]', 'a command, exit-codes, environment or output'))
    .addHelpText('after', examples)
    .action(async (topic: string[]) => {
      if (topic[0] === 'exit-codes') return printExitCodes(world);
      if (topic[0] === 'environment') return printEnvironment(world);
      if (topic[0] === 'output') return print(world.stdout, output);
      commandNamed(program, topic).outputHelp(); // with its examples, which `helpInformation` leaves out
    });
}

function commandNamed(program: Command, path: readonly string[]): Command {
  return path.reduce((command, name) => {
    const next = command.commands.find((candidate) => candidate.name() === name);
    if (next !== undefined) return next;
    const known = command.commands.map((candidate) => candidate.name());
    const meant = whichOf(name, command === program ? [...topics, ...known] : known);
    throw new OperatorError(64, `There is no help on "${name}".`, meant);
  }, program);
}

async function printExitCodes(world: World): Promise<void> {
  const { screenOf } = await import('../output/screen.ts');
  const { renderTable } = await import('../output/table.ts');
  const columns: Column[] = [{ header: 'exit' }, { header: 'meaning', wraps: true }, { header: 'try again?' }];
  const rows = exitCodes.map(({ code, meaning, retry }) => [String(code), meaning, retry]);
  const { columns: width } = screenOf(world.stdout, world);
  const { flowed } = await import('../flowed.ts');
  await print(world.stdout, `${renderTable(columns, rows, width)}\n${flowed('', nodesOwn, width)}`);
}

/** Node looks for it wherever `--env-file` stands in a command line (nodejs/node#54232). */
const nodesOwn =
  '9 is Node’s own, before recon begins: the file that --env-file names is not there, may not be read, or is none.';

async function printEnvironment(world: World): Promise<void> {
  const { fits, screenOf } = await import('../output/screen.ts');
  const { flowed } = await import('../flowed.ts');
  const screen = screenOf(world.stdout, world);
  const wide = await environmentTable(true, Infinity);
  const table = fits(wide, screen) ? wide : await environmentTable(false, screen.columns);
  const also = 'A secret may also come from a file: NAME_FILE holds its path. Durations: 90s, 10m, 24h, 3d.';
  await print(world.stdout, `${table}\n${flowed('', also, screen.columns)}`);
}

/** The defaults in a column of their own, or behind the meaning. */
async function environmentTable(isWide: boolean, width: number): Promise<string> {
  const { renderTable } = await import('../output/table.ts');
  const headers = isWide ? ['variable', 'type', 'default'] : ['variable', 'type'];
  const rows = variables.map((variable: Variable) => {
    const { name, meaning, default: value = '' } = variable;
    if (isWide) return [name, describeType(variable), value, meaning];
    return [name, describeType(variable), value === '' ? meaning : `${meaning} (default: ${value})`];
  });
  return renderTable([...headers.map((header) => ({ header })), { header: 'meaning', wraps: true }], rows, width);
}

function describeType({ kind, choices }: Variable): string {
  return choices === undefined ? kind : choices.join('|');
}
