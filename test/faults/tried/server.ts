import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { incompleteOrDone, ofStatement, type Fault } from '../fault.ts';
import { fillDisk, freeDisk } from '../small-disk.ts';
import type { Scene } from '../stage.ts';

/** Else the sequences of a copied database fall back to where the copy began. */
const checkpoint = ({ sql }: Scene) => sql`checkpoint`;

export const ofServer = {
  'server crash': {
    what: 'a process of the server is killed (SIGKILL), and PostgreSQL recovers',
    at: 'statements',
    before: checkpoint,
    strike: ofStatement(({ session }) => session !== undefined && process.kill(session, 'SIGKILL')),
    ends: incompleteOrDone,
  },
  restart: {
    what: 'the server is restarted (fast shutdown), and is there again after two seconds',
    at: 'statements',
    before: checkpoint,
    strike: (_moment, { scene }) => shutDown(scene, 'fast'),
    ends: incompleteOrDone,
  },
  failover: {
    what: 'the server dies, and after two seconds another one, promoted from its log, has taken its place',
    at: 'statements',
    before: checkpoint,
    strike: (_moment, { scene }) => promoteAnother(scene),
    ends: incompleteOrDone,
  },
  'disk full': {
    what: 'the file system with the data of PostgreSQL is full to the last byte',
    at: 'statements',
    strike: fillDisk,
    after: freeDisk,
    ends: incompleteOrDone,
  },
} satisfies Record<string, Fault>;

/** How PostgreSQL's first process takes signals (its documentation, "Shutting Down the Server"). */
const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Shuts the server down; whoever keeps it (postgres-keeper.mjs) starts it again. */
async function shutDown({ sql }: Scene, how: keyof typeof signals): Promise<void> {
  const [first] = await sql<{ pid: number }[]>`
    select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer as pid`;
  process.kill(first!.pid, signals[how]);
}

/** What comes up in its place begins a timeline of its own, as a replica does that is promoted. */
async function promoteAnother(scene: Scene): Promise<void> {
  const { sql } = scene;
  const [folder] = await sql<{ path: string }[]>`select current_setting('data_directory') as path`;
  await sql`alter system set restore_command = 'false'`; // all of the log is there
  await writeFile(join(folder!.path, 'recovery.signal'), '');
  await shutDown(scene, 'immediate');
}
