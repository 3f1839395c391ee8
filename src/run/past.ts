import type { Cut, Window } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import { automaticKinds } from '../corrections/index.ts';
import { inReadOnly, type Database, type Transaction } from '../database/database.ts';
import { isWhole, type Engine } from './engine.ts';
import { countAccepted } from '../exceptions/acceptance.ts';
import type { KeptFindings } from '../exceptions/kept-findings.ts';
import { openSubjects } from '../exceptions/store.ts';
import { countTaken } from '../exceptions/taken.ts';
import { noneBySeverity, type KindName } from '../kinds.ts';
import { lastCompared } from '../stored-checks.ts';
import type { Compared } from './outcome.ts';
import { windowsOf, type CutTimes } from './watermarks.ts';

/** What earlier runs left that this one goes by. */
export interface Past {
  /** How many records each check compared last time; unknown where fewer are accepted. */
  compared: ReadonlyMap<string, number>;
  /** The subjects of each check with an open exception. */
  known: Cut['known'];
  /** How many of these findings are known and agreed. */
  accepted: (findings: KeptFindings) => Promise<Compared['accepted']>;
  /** How many of these findings somebody has, of those that a run would correct. */
  taken: (findings: KeptFindings) => Promise<ReadonlyMap<KindName, number>>;
  /** From where to where each check verifies; a narrowed run verifies nothing. */
  windows: (database: Database, times: CutTimes) => Promise<((check: CheckName) => Window) | undefined>;
}

/** A dry run may come before our tables: then nobody knows of any past. */
export async function pastOf({ options, world }: Engine, database: Database, schema: string): Promise<Past> {
  if (options.dryRun && !(await inReadOnly(database, (seen) => hasReports(seen, schema)))) return noPast;
  const { scope, type } = options;
  const compared: Past['compared'] = options.acceptFewer
    ? new Map()
    : await inReadOnly(database, (seen) => lastCompared(seen, schema));
  return {
    windows: async (connected, times) =>
      isWhole(scope) ? windowsOf(connected, schema, times, { onlyChanges: type === 'hourly', compared }) : undefined,
    compared,
    known: await inReadOnly(database, (seen) => openSubjects(seen, schema)),
    accepted: (findings) => inReadOnly(database, (seen) => countAccepted(seen, schema, findings, world.now())),
    taken: (findings) =>
      inReadOnly(database, (seen) => countTaken(seen, schema, findings, { kinds: automaticKinds, at: world.now() })),
  };
}

const noPast: Past = {
  compared: new Map(),
  known: {},
  accepted: () => Promise.resolve(noneBySeverity()),
  taken: () => Promise.resolve(new Map()),
  windows: () => Promise.resolve(undefined),
};

/** What a run reads of those before it. */
const pastTables = ['reports', 'checks', 'exceptions', 'watermarks', 'waiting', 'checkpoints'].map(
  (name) => `reconciliation_${name}`,
);

/** Whether past runs can be read: a dry run may come before our tables, or with a role that is not granted them. */
async function hasReports(transaction: Transaction, schema: string): Promise<boolean> {
  const [row] = await transaction<{ found: boolean }[]>`
    select count(*) = ${pastTables.length} as found
    from pg_catalog.pg_tables
    where
      schemaname = ${schema}
      and tablename = any (${pastTables}::text[])
      and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')
  `;
  return row?.found === true;
}
