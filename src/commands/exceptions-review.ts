import { count } from '../count.ts';
import { takesOver, type Order, type Signature } from '../exceptions/actions.ts';
import type { Target } from '../exceptions/change.ts';
import { listOf } from '../database/list-of.ts';
import { plain } from '../plain.ts';
import type { World } from '../world.ts';
import { confirm } from './confirm.ts';
import { printExceptions } from './exceptions-list.ts';
import type { OutputFormat } from './options.ts';
import { print, tell } from './print.ts';
import { inReading, makeChangeKnown, type Reading, type Store } from './store.ts';

export interface ReviewFlags {
  yes?: true;
  output: OutputFormat;
}

/** So many exceptions are shown of those that would change, or have changed. */
const listed = 50;

/**
 * Shows what would change, on stderr, and asks. Throws an OperatorError: 64 or 2 if it is not possible, and what `confirm`
 * throws.
 * @param word what a person types to say yes
 */
export async function review(
  store: Store,
  orders: readonly Order[],
  signature: Signature,
  { yes, word }: ReviewFlags & { word: string },
  world: World,
): Promise<void> {
  await print(world.stderr, await inReading(store, (reading) => preview(reading, orders, signature, world)));
  const what = orders.length === 1 ? 'This changes an exception' : `This changes ${orders.length} exceptions`;
  if (yes !== true) await confirm(word, what, `in ${store.config.environment}`, world);
}

async function preview(
  { transaction, schema }: Reading,
  orders: readonly Order[],
  signature: Signature,
  world: World,
): Promise<string> {
  const { assertPossible } = await import('../exceptions/change.ts');
  await assertPossible(transaction, schema, orders, signature);
  const { streamExceptions } = await import('../exceptions/store.ts');
  const { totalsOf } = await import('../exceptions/list-totals.ts');
  const { orderTable } = await import('../output/exception-orders.ts');
  const { totalsText } = await import('../output/exceptions.ts');
  const { screenOf } = await import('../output/screen.ts');
  const filter = await withIds(orders);
  const first = await listOf(streamExceptions(transaction, schema, filter, { limit: listed }));
  const table = orderTable(first, orders, signature, screenOf(world.stderr, world));
  return `${table}\n${totalsText(await totalsOf(transaction, schema, filter))}, as they are now.\n`;
}

function takeoverText({ id, action }: Order, holder: string | null, { by }: Signature): string {
  const done = action === 'resolve' ? 'resolved it' : 'took it over';
  return `recon: ${id.slice(0, 8)} was with ${plain(holder ?? '')}: ${plain(by)} ${done}\n`;
}

async function withIds(orders: readonly Order[]) {
  const { anyException } = await import('../exceptions/filter.ts');
  return { ...anyException, ids: orders.map(({ id }) => id) };
}

/** What nobody found to be over is found again by a run that looks at it, unless it has been mended meanwhile. */
async function warnOfReturn(store: Store, orders: readonly Order[], world: World): Promise<void> {
  const resolved = orders.filter(({ action }) => action === 'resolve');
  if (resolved.length === 0) return;
  const { streamExceptions } = await import('../exceptions/store.ts');
  const { isLookedAt } = await import('../exceptions/state.ts');
  const filter = await withIds(resolved);
  const found = await inReading(store, async ({ transaction, schema, config }) => {
    let standing = 0;
    for await (const exception of streamExceptions(transaction, schema, filter))
      if (isLookedAt(exception, config.checks)) standing += 1;
    return standing;
  });
  if (found === 0) return;
  const stood = `${count(found, 'exception')} stood when a run last looked`;
  await tell(world, `recon: ${stood}: what is not mended, a daily run finds again and opens as a new one\n`);
}

/** Changes all of them or none, prints them as they are now, and says on stderr what was done, and from whom what was taken. */
export async function carryOut(
  store: Store,
  orders: readonly (Order & Partial<Pick<Target, 'holder'>>)[],
  signature: Signature,
  format: OutputFormat,
  world: World,
): Promise<void> {
  const { database, schema, config } = store;
  const { changeExceptions } = await import('../exceptions/change.ts');
  const { streamExceptions } = await import('../exceptions/store.ts');
  const { doneText } = await import('../output/exception-orders.ts');
  // asking took its time: a run that began meanwhile must see what was reopened as reopened while it was under way
  await changeExceptions(database, schema, orders, { ...signature, at: world.now() });
  for (const { holder = null, ...order } of orders.slice(0, listed))
    if (takesOver(order, holder, signature.by)) await tell(world, takeoverText(order, holder, signature));
  await warnOfReturn(store, orders, world);
  await makeChangeKnown(store, world);
  const page = format === 'table' ? { limit: listed } : {};
  const filter = await withIds(orders);
  await inReading(store, ({ transaction }) =>
    printExceptions(streamExceptions(transaction, schema, filter, page), format, world),
  );
  await tell(world, `recon: ${doneText(orders, signature, config.environment)}; exit 0\n`);
}
