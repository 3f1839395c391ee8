import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scene } from './stage.ts';

/** How PostgreSQL's first process takes signals (its documentation, "Shutting Down the Server"). */
const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Shuts the server down; whoever keeps it (postgres-keeper.mjs) starts it again. */
export async function shutDown({ sql }: Scene, how: keyof typeof signals): Promise<true> {
  const [first] = await sql<{ pid: number }[]>`
    select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer as pid`;
  process.kill(first!.pid, signals[how]);
  return true;
}

/** What comes up in its place begins a timeline of its own, as a replica does that is promoted. */
export async function promoteAnother(scene: Scene): Promise<true> {
  const { sql } = scene;
  const [folder] = await sql<{ path: string }[]>`select current_setting('data_directory') as path`;
  await sql`alter system set restore_command = 'false'`; // all of the log is there
  await writeFile(join(folder!.path, 'recovery.signal'), '');
  return shutDown(scene, 'immediate');
}
