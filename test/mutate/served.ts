import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const read = fs.readFileSync;
const reader = new AsyncLocalStorage<Set<string>>();
let broken: { path: string; text: string } | undefined;

/** From here on a file that the program reads at once may be served broken, and it is known which ones it reads. */
export function serveFiles(): void {
  fs.readFileSync = ((path: fs.PathOrFileDescriptor, options: BufferEncoding) => {
    reader.getStore()?.add(String(path));
    return broken?.path === path ? broken.text : read(path, options);
  }) as typeof fs.readFileSync;
  syncBuiltinESMExports();
}

/** Who reads the file at `path` now finds `text` in it. */
export function serveBroken(path: string, text: string): void {
  broken = { path, text };
  rewritten.clear();
}

const rewritten = new Map<string, string>();

/** A statement that was made of the files as they are, as it would be made now. */
export function asServed(statement: string): string {
  if (broken === undefined || broken.path === '') return statement;
  const { path, text } = broken;
  const known = rewritten.get(statement) ?? statement.replaceAll(textOf(path), () => text.trimEnd());
  rewritten.set(statement, known);
  return known;
}

/** Whether the file at `path` is a part of that statement. */
export function isMadeOf(path: string, statement: string): boolean {
  return statement.includes(textOf(path));
}

function textOf(path: string): string {
  return read(path, 'utf8').trimEnd();
}

/** Which files `body` reads. */
export async function filesReadBy<T>(body: () => Promise<T>): Promise<{ result: T; files: ReadonlySet<string> }> {
  const files = new Set<string>();
  return { result: await reader.run(files, body), files };
}
