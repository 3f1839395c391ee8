import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Relation } from '../../src/source.ts';

const shipped = fileURLToPath(new URL('../../sql/source/stack_service/', import.meta.url));

/** A copy of the shipped mapping with some relations changed, until the test is over: for RECONCILIATION_SOURCE. */
export async function sourceFolder(changes: Partial<Record<Relation, (original: string) => string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recon-source-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(shipped, folder, { recursive: true });
  for (const [relation, change] of Object.entries(changes)) {
    const file = join(folder, `${relation}.sql`);
    await writeFile(file, change(await readFile(file, 'utf8')));
  }
  return folder;
}

/** The same rows, after a minute. */
export function slowly(original: string): string {
  return `select original.* from (${original}) as original cross join (select pg_sleep(60) offset 0) as slow`;
}
