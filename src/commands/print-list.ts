import type { Screen } from '../output/screen.ts';
import type { World } from '../world.ts';
import type { OutputFormat } from './options.ts';
import { print } from './print.ts';

/** A list as it is read at once, and its looks. */
export interface Listed<T extends object> {
  /** What one of them is called: `report`. */
  noun: string;
  items: readonly T[];
  /** How many there are, listed or not. */
  matching: number;
  /** Of CSV. */
  columns: readonly (keyof T & string)[];
  table: (items: readonly T[], screen: Screen) => string;
  /** What stands above the table, and beside the list in JSON. */
  head?: { text: (screen: Screen) => string; members: Record<string, unknown> };
}

/** Prints a list as a result; on stderr that it is empty, or cut off. */
export async function printList<T extends object>(list: Listed<T>, format: OutputFormat, world: World): Promise<void> {
  const { noun, items, matching, columns, table, head } = list;
  const { cutOff, screenOf } = await import('../output/screen.ts');
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    await print(world.stdout, toJson(head?.members ?? {}, { name: `${noun}s`, items }));
  } else if (format === 'csv') {
    const { toCsv } = await import('../output/csv.ts');
    await print(world.stdout, toCsv(columns, items));
  } else {
    const screen = screenOf(world.stdout, world);
    await print(world.stdout, head?.text(screen) ?? '');
    if (items.length === 0) await print(world.stderr, `No ${noun}s.\n`);
    else await print(world.stdout, table(items, screen));
  }
  await print(world.stderr, cutOff(items.length, matching, noun));
}
