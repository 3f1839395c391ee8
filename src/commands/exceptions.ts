import { Command } from 'commander';
import { actionNames } from '../exceptions/actions.ts';
import type { World } from '../world.ts';
import { applyCommand } from './exceptions-apply.ts';
import { changeCommand } from './exceptions-change.ts';
import { listCommand } from './exceptions-list.ts';
import { idPrefix, outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { withStore, type Store } from './store.ts';

/** `recon exceptions`. */
export function exceptionsCommand(context: CommandContext): Command {
  const command = new Command('exceptions')
    .description('the discrepancies that were found, and what became of them')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context));
  for (const name of actionNames) command.addCommand(changeCommand(context, name));
  return command.addCommand(applyCommand(context));
}

function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('the whole story of one exception')
    .argument('<id>', 'its id, or the first characters of it', idPrefix)
    .addOption(outputOption('table', 'json'))
    .action(async (id: string, _flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<{ output: OutputFormat }>();
      await withStore(world, (store) => show(store, id, flags.output, world));
    });
}

async function show(
  { database, schema, config }: Store,
  id: string,
  format: OutputFormat,
  world: World,
): Promise<void> {
  const { findException, historyOf } = await import('../exceptions/store.ts');
  const exception = await findException(database, schema, id);
  const history = await historyOf(database, schema, exception.id);
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ exception, ...history }));
  }
  const { exceptionStory } = await import('../output/exceptions.ts');
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, exceptionStory(exception, history, config.environment, screenOf(world.stdout, world.env)));
}
