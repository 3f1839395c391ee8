import { Command } from 'commander';
import type { Check } from '../checks/check.ts';
import { checkNames, type CheckName } from '../checks/names.ts';
import { OperatorError } from '../operator-error.ts';
import type { World } from '../world.ts';
import { outputOption, wordArgument, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';

interface ChecksFlags {
  sql?: true;
  output: OutputFormat;
}

/** `recon checks`: the catalogue, and the SQL as it runs. */
export function checksCommand(context: CommandContext): Command {
  return new Command('checks')
    .description('the catalogue of checks and finding kinds, and the SQL of each check')
    .addArgument(wordArgument('[check]', 'one check', checkNames))
    .option('--sql', 'print the whole SQL of the check, ready for psql')
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText('after', '\nExamples:\n  recon checks deposits\n  recon checks deposits --sql | psql "$DATABASE_URL"')
    .action(async (name: CheckName | undefined, _flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ChecksFlags>();
      await (flags.sql === true ? printSql(name, world) : printCatalogue(name, flags.output, world));
    });
}

async function printCatalogue(name: CheckName | undefined, format: OutputFormat, world: World): Promise<void> {
  const { catalogueOf, catalogueColumns, catalogueScreen } = await import('../output/catalogue.ts');
  const { checks } = await import('../checks/index.ts');
  const chosen: Check[] = name === undefined ? checkNames.map((each) => checks[each]) : [checks[name]];
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({}, { name: 'kinds', items: catalogueOf(chosen) }));
  }
  if (format === 'csv')
    return print(world.stdout, (await import('../output/csv.ts')).toCsv(catalogueColumns, catalogueOf(chosen)));
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, catalogueScreen(chosen, screenOf(world.stdout, world)));
}

async function printSql(name: CheckName | undefined, world: World): Promise<void> {
  if (name === undefined) throw new OperatorError(64, '--sql needs a check.', `Give one of ${checkNames.join(', ')}.`);
  const { parseConfigWithoutDatabase } = await import('../config.ts');
  const { checks } = await import('../checks/index.ts');
  const { composeForReading, openSource, titled } = await import('../source.ts');
  const { everything, paramsOf } = await import('../run/cut.ts');
  const config = parseConfigWithoutDatabase(world.env);
  const params = { ...paramsOf(config, everything, world.now().toISOString()), ...checks[name].params(config) };
  const source = openSource(config.source);
  for (const [part, statement] of Object.entries(checks[name].statements))
    await print(world.stdout, titled(`${name}: ${part}`, composeForReading(source, statement, params)));
}
