import { join } from 'node:path';
import { withCorrectionDatabase } from '../corrections/database.ts';
import { planAll } from '../corrections/host-tables.ts';
import { inTransaction } from '../database/database.ts';
import { databaseProblem } from '../database/problem.ts';
import { howToCorrect } from '../database/rights.ts';
import { ok, problem, type DatabasePatient, type Examination } from './examination.ts';
import { lockPatienceMs, waitForLocks } from './look.ts';

/** Where corrections are switched on, or have a role of their own: that this role may make them. Only plans, writes nothing. */
export const corrections: Examination<DatabasePatient> = {
  topic: 'corrections',
  async examine({ config, source, world, database: main }) {
    const { automatic, variable } = config.corrections;
    if (!automatic && variable === 'DATABASE_URL') return [];
    return withCorrectionDatabase(config, main, { signal: world.signal }, async (database) => {
      try {
        const planned = await inTransaction(database, 'read only', async (transaction) => {
          await waitForLocks(transaction, lockPatienceMs);
          return planAll(transaction, source);
        });
        if (planned === 0)
          return [
            problem('The mapping has no folder corrections: nothing can be corrected.', 'See README, "Corrections".'),
          ];
        return [
          ok(`The role of ${variable} may write what corrections write; automatic: ${automatic ? 'yes' : 'no'}.`),
        ];
      } catch (error) {
        const said = databaseProblem(error);
        if (said?.code.startsWith('42') !== true) throw error;
        return [
          problem(
            `The role of ${variable} cannot make corrections: ${said.message} (${said.code}).`,
            said.code === '42501' ? howToCorrect(variable) : `Mend the files in ${join(source.folder, 'corrections')}.`,
          ),
        ];
      }
    });
  },
};
