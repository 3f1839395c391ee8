/**
 * Arrays of one dimension, as PostgreSQL reads and writes them (PostgreSQL, "Array Input and Output Syntax"). The driver
 * would ask each new connection for its array types: a query more, whose error nobody catches where the connection is
 * lost meanwhile (postgres 3.4.9, `fetchArrayTypes`).
 */
export const arrayTypes = {
  texts: typeOf(1009, [1003, 1009, 1015, 1231, 1016, 2951], (item) => item), // name, text, varchar, numeric, bigint, uuid
  numbers: typeOf(1007, [1007, 1028], Number), // integer, oid
};

type Item = string | number;
export type Items = (Item | null)[];

/** Of the array types with these identifiers (rows of pg_type, the same on every server). */
function typeOf(to: number, from: number[], toItem: (text: string) => Item) {
  return { to, from, serialize: toArray, parse: (text: string) => fromArray(text, toItem) };
}

/** Text is an array that is written out already: ids by the million are kept like that. */
function toArray(items: Items | string): string {
  if (typeof items === 'string') return items;
  const quoted = (item: Item) => `"${String(item).replace(/["\\]/g, '\\$&')}"`;
  return `{${items.map((item) => (item === null ? 'null' : quoted(item))).join(',')}}`;
}

function fromArray(text: string, toItem: (text: string) => Item): Items {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|([^",{}]+)/gs), ([, quoted, bare = '']) => {
    if (quoted !== undefined) return toItem(quoted.replace(/\\(.)/gs, '$1'));
    return bare === 'NULL' ? null : toItem(bare);
  });
}
