import type { Fault } from './fault.ts';
import { ofConnections } from './tried/connections.ts';
import { ofErrors } from './tried/errors.ts';
import { ofLocks } from './tried/locks.ts';
import { ofProcess } from './tried/process.ts';
import { ofRequests } from './tried/requests.ts';
import { ofRivals } from './tried/rivals.ts';
import { ofServer } from './tried/server.ts';
import { ofTargets } from './tried/targets.ts';

/** All that is done to a run, in the order of the table. */
export const faults = {
  ...ofProcess,
  ...ofConnections,
  ...ofServer,
  ...ofErrors,
  ...ofLocks,
  ...ofRivals,
  ...ofRequests,
  ...ofTargets,
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
