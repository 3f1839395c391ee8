import { Command } from 'commander';
import type { World } from '../world.ts';
import { idPrefix, outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print, tell } from './print.ts';
import { inReading, withStore, type Store } from './store.ts';

interface ShowFlags {
  sql?: true;
  output: OutputFormat;
}

const explanation = `
Examples:
  recon exceptions show 3f2a91bc
  recon exceptions show 3f2a91bc --sql | psql "$DATABASE_URL"

What it could be: the difference is tested against the usual causes (an item that is missing or stands twice, a wrong
sign, swapped digits, a moved decimal point, a fee, rounding, what is pending, another open exception). A cause is
named only where the numbers meet to the last digit; it still wants a person to look. Before them stands what needs no
numbers: a transaction that names the record already, a status that was never changed, a time in the future.`;

/** `recon exceptions show`. */
export function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('the whole story of one exception')
    .argument('<id>', 'its id, or the first characters of it', idPrefix)
    .option('--sql', 'print the SQL to look further, ready for psql')
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', explanation)
    .action(async (id: string, _flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ShowFlags>();
      await withStore(world, (store) =>
        flags.sql === true ? printSql(store, id, world) : show(store, id, flags, world),
      );
    });
}

async function show(store: Store, id: string, flags: ShowFlags, world: World): Promise<void> {
  const { createMask } = await import('../secrets.ts');
  const { storyOf } = await import('../exceptions/story.ts');
  const story = await storyOf({ ...store, world, mask: createMask(world.env) }, id, world.now());
  if (flags.output === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ ...story }));
  }
  const { exceptionStory } = await import('../output/exception-story.ts');
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, exceptionStory(story, store.config, world.now(), screenOf(world.stdout, world)));
}

async function printSql(store: Store, id: string, world: World): Promise<void> {
  const { findException } = await import('../exceptions/store.ts');
  const { furtherSql } = await import('../exceptions/further-sql.ts');
  const { titled } = await import('../source.ts');
  const exception = await inReading(store, ({ transaction, schema }) => findException(transaction, schema, id));
  const statements = furtherSql(exception, store.config, world.now().toISOString());
  if (statements.length === 0) await tell(world, 'recon: no check of recon made this exception: it has no SQL\n');
  for (const [name, sql] of statements) await print(world.stdout, titled(`${exception.id.slice(0, 8)}: ${name}`, sql));
}
