import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { Command } from 'commander';
import { count } from '../count.ts';
import type { Signature } from '../exceptions/actions.ts';
import type { WorklistOrder } from '../exceptions/worklist.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import type { World } from '../world.ts';
import { addSignature, signatureOf } from './exceptions-change.ts';
import { carryOut, review, type ReviewFlags } from './exceptions-review.ts';
import type { CommandContext } from './options.ts';
import { tell } from './print.ts';
import { inReading, withStore, type Reading, type Store } from './store.ts';

const explanation = `
The file is what recon exceptions list -o csv printed. In the rows that are meant, enter an action (acknowledge, assign,
comment, snooze, accept, resolve, reopen), a note, until when, or the name of the assignee; rows without an action stay
as they are, and so does every other column. What would change is shown first, and all of it is changed, or nothing.
A row is refused that would resolve or accept other amounts than those that were exported: version says which those were,
whatever a spreadsheet made of the numbers.

Examples:
  recon exceptions list -o csv > worklist.csv
  recon exceptions apply worklist.csv
  recon exceptions apply - --yes --by "Ada Lovelace" < worklist.csv`;

/** `recon exceptions apply`. */
export function applyCommand(context: CommandContext): Command {
  const command = new Command('apply')
    .description('carry out what was entered into an exported list')
    .argument('<file>', 'the CSV; - reads stdin');
  return addSignature(command)
    .addHelpText('after', explanation)
    .action(async (file: string, _flags, me: Command) => {
      const { world } = context;
      await withStore(world, (store) => apply(store, file, me.optsWithGlobals<ReviewFlags & { by?: string }>(), world));
    });
}

async function apply(store: Store, file: string, flags: ReviewFlags & { by?: string }, world: World): Promise<void> {
  const { readWorklist } = await import('../exceptions/worklist.ts');
  const signature = signatureOf(flags, world);
  const { orders: entered, idle } = readWorklist(await contentOf(file, world), signature.at);
  const orders = await inReading(store, (reading) => withoutDone(reading, entered, signature));
  const done = entered.length - orders.length;
  const left = done === 0 ? '' : `; ${done} unchanged, because by ${plain(signature.by)} that was the last thing done`;
  await tell(world, `${plain(file)}: ${count(entered.length, 'row')} with an action, ${idle} without${left}\n`);
  if (orders.length === 0) return tell(world, 'recon: nothing was changed; exit 0\n');
  const seen = await inReading(store, (reading) => asSeen(reading, orders));
  await review(store, seen, signature, { ...flags, word: 'apply' }, world);
  await carryOut(store, seen, signature, flags.output, world);
}

/** Whoever applies a file twice means each row once. */
async function withoutDone(
  { transaction, schema }: Reading,
  orders: readonly WorklistOrder[],
  signature: Signature,
): Promise<WorklistOrder[]> {
  const { carriedOut } = await import('../exceptions/change.ts');
  const done = await carriedOut(transaction, schema, orders, signature);
  return orders.filter(({ id }) => !done.has(id));
}

/** The orders, each bound to the state in which its exception is now, which is the one that the person knows. */
async function asSeen({ transaction, schema }: Reading, orders: readonly WorklistOrder[]) {
  const { targetsOf } = await import('../exceptions/change.ts');
  const { anyException } = await import('../exceptions/filter.ts');
  const { streamExceptions } = await import('../exceptions/store.ts');
  const { assertSeen } = await import('../exceptions/worklist.ts');
  const filter = { ...anyException, ids: orders.map(({ id }) => id) };
  const targets = new Map((await targetsOf(transaction, schema, filter)).map((target) => [target.id, target]));
  await assertSeen(orders, streamExceptions(transaction, schema, filter));
  return orders.map((order) => ({ ...order, ...targets.get(order.id) }));
}

async function contentOf(file: string, { stdin }: World): Promise<Uint8Array> {
  try {
    return await buffer(file === '-' ? stdin : createReadStream(file));
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(64, `The file cannot be read: ${file} (${code}).`, 'Check the path.', { cause: error });
  }
}
