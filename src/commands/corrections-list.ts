import { Command } from 'commander';
import type { CorrectionState, StoredCorrection } from '../corrections/store.ts';
import type { Screen } from '../output/screen.ts';
import type { World } from '../world.ts';
import { choices, idPrefix, limitOption, outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { printList } from './print-list.ts';
import { withReading, type Reading } from './store.ts';

interface ListFlags {
  state?: CorrectionState[];
  exception?: string;
  limit: number;
  output: OutputFormat;
}

const states: readonly CorrectionState[] = ['proposed', 'rejected', 'applied', 'refused', 'failed'];

/** `recon corrections list`. */
export function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('corrections, the newest first')
    .addOption(choices('--state <state>', 'only those in this state', states))
    .option('--exception <id>', 'only those of this exception', idPrefix)
    .addOption(limitOption().default(20))
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText(
      'after',
      '\nExamples:\n  recon corrections list --state proposed\n  recon corrections list --state failed -o json',
    )
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ListFlags>();
      const { corrections, matching, standing } = await withReading(world, (reading) => list(reading, flags));
      const { correctionColumns: columns, correctionTable: table, stopText } = await import('../output/corrections.ts');
      const head = { text: (screen: Screen) => stopText(standing, screen), members: { switch: standing } };
      await printList({ noun: 'correction', items: corrections, matching, columns, table, head }, flags.output, world);
    });
}

async function list({ transaction, schema }: Reading, flags: ListFlags) {
  const { listCorrections } = await import('../corrections/store.ts');
  const { switchOf } = await import('../corrections/switch.ts');
  const { findException } = await import('../exceptions/store.ts');
  const exceptionId = flags.exception && (await findException(transaction, schema, flags.exception)).id;
  const filter = { states: flags.state ?? [], limit: flags.limit, ...(exceptionId && { exceptionId }) };
  const standing = await switchOf(transaction, schema);
  return { ...(await listCorrections(transaction, schema, filter)), standing };
}

/** `recon corrections show`. */
export function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('one correction: what it writes or wrote, on whose word, and what became of it')
    .argument('<id>', 'its id, or the first characters of it', idPrefix)
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', '\nExample:\n  recon corrections show 8c11d0aa')
    .action(async (id: string, _flags, command: Command) => {
      const { world } = context;
      const { output } = command.optsWithGlobals<{ output: OutputFormat }>();
      const { findCorrection } = await import('../corrections/store.ts');
      const correction = await withReading(world, ({ transaction, schema }) => findCorrection(transaction, schema, id));
      await printCorrection(correction, output, world);
    });
}

/** One correction with the rows of the host. */
export async function printCorrection(correction: StoredCorrection, format: OutputFormat, world: World): Promise<void> {
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ correction }));
  }
  const { correctionScreen } = await import('../output/corrections.ts');
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, correctionScreen(correction, screenOf(world.stdout, world)));
}
