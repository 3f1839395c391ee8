import { Command } from 'commander';
import type { HostRow } from '../corrections/host-tables.ts';
import type { Word } from '../corrections/proposals.ts';
import type { StoredCorrection } from '../corrections/store.ts';
import type { Desk } from '../corrections/transaction.ts';
import { OperatorError } from '../operator-error.ts';
import { placeholders, signed } from '../placeholders.ts';
import type { World } from '../world.ts';
import { confirm } from './confirm.ts';
import { printCorrection } from './corrections-list.ts';
import { noteOf, signatureOf } from './exceptions-change.ts';
import { byOption, idPrefix, outputOption, yesOption, type CommandContext, type OutputFormat } from './options.ts';
import { print, tell } from './print.ts';
import { inReading, makeChangeKnown, waitsOf, withStore, type Store } from './store.ts';

interface DecideFlags {
  by?: string;
  note?: string;
  dryRun?: true;
  yes?: true;
  output: OutputFormat;
}

/** `recon corrections propose`. */
export function proposeCommand(context: CommandContext): Command {
  return commandOf('propose', 'propose the correction of an exception, for a second person to approve', '<exception>')
    .option('--dry-run', 'print the rows that would be written, and propose nothing')
    .addHelpText('after', helpOf('propose', '3f2a91bc', '--note "seen at Circle"'))
    .action(async (id: string, _flags, me: Command) => {
      const { world } = context;
      const flags = me.optsWithGlobals<DecideFlags>();
      await withDesk(world, async (desk, store) => {
        const { previewOf, propose } = await import('../corrections/proposals.ts');
        const { findException } = await import('../exceptions/store.ts');
        const exception = await inReading(store, ({ transaction, schema }) => findException(transaction, schema, id));
        if (flags.dryRun === true) {
          const preview = await previewOf(desk, exception.id);
          return printPreview(preview, ['propose', exception.id], flags.output, world);
        }
        const proposed = await propose(desk, exception.id, wordOf(flags, world));
        await printCorrection(proposed, flags.output, world);
        return tell(world, 'recon: proposed; nothing is written before a second person approves it; exit 0\n');
      });
    });
}

/** `recon corrections approve`. */
export function approveCommand(context: CommandContext): Command {
  return commandOf('approve', 'write what another person proposed', '<id>')
    .option('--dry-run', 'print the rows that would be written now, and write nothing')
    .addOption(yesOption('do not show it first, and do not ask'))
    .addHelpText('after', helpOf('approve', '8c11d0aa', '--by Grace'))
    .action(async (id: string, _flags, me: Command) => {
      const { world } = context;
      const flags = me.optsWithGlobals<DecideFlags>();
      await withDesk(world, async (desk, store) => {
        const word = wordOf(flags, world);
        const { approve, previewApproval } = await import('../corrections/proposals.ts');
        const proposal = await find(store, id);
        if (flags.dryRun === true || flags.yes !== true) {
          const { action, rows } = await previewApproval(desk, proposal, word);
          if (flags.dryRun === true)
            return printPreview({ action, rows }, ['approve', proposal.id], flags.output, world);
          await ask('approve', action, rows, store, world);
        }
        await end(context, await approve(desk, proposal, word), flags, store);
      });
    });
}

/** `recon corrections undo`. */
export function undoCommand(context: CommandContext): Command {
  return commandOf('undo', 'take back what was written: by compensating entries, never by deleting', '<id>', true)
    .option('--dry-run', 'print the rows that would be written now, and write nothing')
    .addOption(yesOption('do not show it first, and do not ask'))
    .addHelpText('after', helpOf('undo', '8c11d0aa', '--note "ticket 812"'))
    .action(async (id: string, _flags, me: Command) => {
      const { world } = context;
      const flags = me.optsWithGlobals<DecideFlags>();
      assertNote('undo', flags);
      await withDesk(world, async (desk, store) => {
        const word = flags.dryRun === true ? undefined : wordOf(flags, world);
        const { previewUndo, undo } = await import('../corrections/undo.ts');
        const correction = await find(store, id);
        if (word === undefined || flags.yes !== true) {
          const rows = await previewUndo(desk, correction);
          const action = `undone: ${correction.action}`;
          if (isPosting(correction)) await tell(world, `recon: ${onceSentence}\n`);
          if (word === undefined) return printPreview({ action, rows }, ['undo', correction.id], flags.output, world);
          await ask('undo', action, rows, store, world);
        }
        await end(context, await undo(desk, correction, word), flags, store);
      });
    });
}

/** Whether it added entries to the books: their idempotency key can be used once. */
function isPosting({ rows_written: rows }: StoredCorrection): boolean {
  return rows.some(({ table }) => table === 'ledger_entries');
}

const onceSentence = 'recon posts a record once; what is undone, it does not post again';

/** `recon corrections reject`. */
export function rejectCommand(context: CommandContext): Command {
  return commandOf('reject', 'end a proposal; whoever made it takes it back in this way', '<id>', true)
    .addHelpText('after', helpOf('reject', '8c11d0aa', '--note "paid out twice"'))
    .action(async (id: string, _flags, me: Command) => {
      const { world } = context;
      const flags = me.optsWithGlobals<DecideFlags>();
      assertNote('reject', flags);
      await withStore(world, async (store) => {
        const word = wordOf(flags, world);
        const { reject } = await import('../corrections/proposals.ts');
        const rejected = await reject({ ...store, world }, await find(store, id), word);
        await printCorrection(rejected, flags.output, world);
        await tell(world, 'recon: rejected, and nothing is written; exit 0\n');
      });
    });
}

/** @param isAlone whether it takes one person */
function commandOf(name: string, meaning: string, argument: string, isAlone = false): Command {
  return new Command(name)
    .description(meaning)
    .argument(argument, 'its id, or the first characters of it', idPrefix)
    .addOption(byOption())
    .option('--note <text>', `why, kept for the auditor${isAlone ? '; needed' : ''}`)
    .addOption(outputOption('table', 'json'));
}

function helpOf(name: string, id: string, flags: string): string {
  return `\nExample:\n  recon corrections ${name} ${id} ${flags}`;
}

function wordOf(flags: DecideFlags, world: World): Word {
  const { by, host } = signatureOf(flags, world);
  return { by, host, note: noteOf(flags) };
}

/** Of what one person does alone there is nobody else’s word: it says why. Throws an OperatorError (64). */
function assertNote(name: string, { note, dryRun }: DecideFlags): void {
  if (note !== undefined || dryRun === true) return;
  throw new OperatorError(
    64,
    `${name} needs --note ${placeholders.note}.`,
    `\`recon help corrections ${name}\` says more.`,
  );
}

async function find(store: Store, id: string): Promise<StoredCorrection> {
  const { findCorrection } = await import('../corrections/store.ts');
  return inReading(store, ({ transaction, schema }) => findCorrection(transaction, schema, id));
}

/** The desk of whoever may write into the host's tables; the store is for what becomes known afterwards. */
async function withDesk(world: World, body: (desk: Desk, store: Store) => Promise<void>): Promise<void> {
  const { withCorrectionDatabase } = await import('../corrections/database.ts');
  const { createMask } = await import('../secrets.ts');
  const { openSource } = await import('../source.ts');
  await withStore(world, (store) => {
    const { config, schema } = store;
    const source = openSource(config.source);
    return withCorrectionDatabase(config, store.database, waitsOf(world), (database) =>
      body({ database, schema, config, source, world, mask: createMask(world.env) }, store),
    );
  });
}

/** What would be written, and the command that does it. */
async function printPreview(
  { action, rows }: { action: string; rows: readonly HostRow[] },
  [name, id]: [name: string, id: string],
  format: OutputFormat,
  world: World,
): Promise<void> {
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ dry_run: true, action, rows_written: rows }));
  }
  const { nextText, previewText } = await import('../output/corrections.ts');
  const { screenOf } = await import('../output/screen.ts');
  const screen = screenOf(world.stdout, world);
  const next = nextText([`recon corrections ${name} ${id.slice(0, 8)} ${signed}`], screen);
  return print(world.stdout, `DRY RUN, nothing is written\n${previewText(action, rows, screen)}\n${next}`);
}

async function ask(
  word: string,
  action: string,
  rows: readonly HostRow[],
  { config }: Store,
  world: World,
): Promise<void> {
  const { previewText } = await import('../output/corrections.ts');
  const { screenOf } = await import('../output/screen.ts');
  await print(world.stderr, previewText(action, rows, screenOf(world.stderr, world)));
  await confirm(word, 'This writes into the ledger', `in ${config.environment}`, world);
}

/** Says what became of it; exit code 2 where nothing was written after all. */
async function end(context: CommandContext, ended: StoredCorrection, flags: DecideFlags, store: Store): Promise<void> {
  const { world } = context;
  const { state, undoes } = ended;
  if (state === 'applied') await makeChangeKnown(store, world);
  else context.exitWith(2);
  await printCorrection(ended, flags.output, world);
  const after =
    undoes === null
      ? ''
      : `${isPosting(ended) ? `; ${onceSentence}` : ''}; what was corrected is likely wrong again, and the next run tells: \`recon run\``;
  const outcome = state === 'applied' ? `written${after}; exit 0` : `${state}: nothing was written; exit 2`;
  await tell(world, `recon: ${outcome}\n`);
}
