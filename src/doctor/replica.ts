import { Incomplete } from '../incomplete.ts';
import { deadlineAfter } from '../run/engine.ts';
import { catchUp, replicaOf, withDatabases } from '../run/source-database.ts';
import { ok, problem, type DatabasePatient, type Examination } from './examination.ts';

/** A run waits for longer, a person does not. */
const patienceMs = 30_000;

/** That the database that the checks read can be used, and keeps up with the main one. Silent where it is the same. */
export const replica: Examination<DatabasePatient> = {
  topic: 'replica',
  async examine({ config, world }) {
    if (config.sourceDatabaseUrl === config.databaseUrl) return [];
    return withDatabases(config, world.signal, async (databases) => {
      try {
        const known = await replicaOf(databases, config);
        if (known === undefined) return [ok('The checks read from a database of its own, which is no replica.')];
        await catchUp(databases, deadlineAfter(patienceMs, world.signal));
        return [ok('The checks read from a replica, which has replayed all that the main database has written.')];
      } catch (error) {
        world.signal.throwIfAborted();
        if (error instanceof Incomplete) return [problem(error.message, nextSteps[error.exitCode])];
        throw error;
      }
    });
  },
};

/** By what a run would exit with. */
const nextSteps = {
  3: 'Look at the replication and its server, or unset SOURCE_DATABASE_URL: the checks then read from DATABASE_URL.',
  77: 'A replica takes the roles and passwords of its main database.',
  78: 'Mend SOURCE_DATABASE_URL, or unset it: the checks then read from DATABASE_URL.',
} as const;
