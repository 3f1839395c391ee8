import type { Items } from '../database/list-of.ts';
import { plainJson } from '../plain.ts';

/**
 * A document of the JSON contract: `version` first, then the members; a last member that is a long list is written item
 * by item, so that memory stays flat. Amounts are strings, times RFC 3339 in UTC, ids whole.
 */
export async function* toJson(
  members: Record<string, unknown>,
  list?: { name: string; items: Items<unknown> },
): AsyncGenerator<string> {
  const head = toText({ version: 1, ...members });
  if (list === undefined) {
    yield `${head}\n`;
    return;
  }
  yield `${head.slice(0, -1)},${JSON.stringify(list.name)}:[`;
  let separator = '\n';
  for await (const item of list.items) {
    yield `${separator}${toText(item)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

/** What a terminal would obey, JSON may write as an escape: the value is the same. */
function toText(value: unknown): string {
  return plainJson(JSON.stringify(value));
}
