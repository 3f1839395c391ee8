import { toInterval } from '../../src/duration.ts';
import { withoutConstraints } from '../support/ledger.ts';
import type { Sql } from '../support/ledger-rows.ts';
import type { AlpacaState } from '../support/alpaca-sandbox.ts';
import type { CircleState } from '../support/circle-sandbox.ts';
import { plantFaults, type Planted } from './faults.ts';
import { Firm } from './firm.ts';
import { addLookAlikes } from './look-alikes.ts';
import { liveThroughMonth } from './month.ts';

/** Everything that the demo keeps beside the database. */
export interface Filled {
  planted: Planted[];
  circle: CircleState;
  alpaca: AlpacaState;
  inFlight: Firm['inFlight'];
}

/** Fills the host's tables with a month of 200 customers that ends `now`, and plants the faults. Always the same. */
export async function fill(sql: Sql, now: Date): Promise<Filled> {
  const firm = new Firm({ now, seed: 20_26, customers: 200 });
  liveThroughMonth(firm);
  addLookAlikes(firm);
  await firm.ledger.save(sql); // under the host's constraints: up to here everything is in order
  await withoutConstraints(sql);
  const planted = plantFaults(firm);
  await firm.ledger.save(sql);
  const { custodians, ledger, inFlight } = firm;
  return { planted, circle: custodians.circle(ledger.random), alpaca: custodians.alpaca(), inFlight };
}

/** The demo's clock stands still between two of its commands: what was under way an hour ago is under way now. */
export async function keepInFlight(sql: Sql, inFlight: Firm['inFlight'], elapsedMs: number): Promise<void> {
  const elapsed = toInterval(elapsedMs);
  const later = (table: string, columns: string[]) => {
    const ids = inFlight.filter((record) => record.table === table).map(({ id }) => id);
    const [first, ...others] = columns.map((column) => sql`${sql(column)} = ${sql(column)} + ${elapsed}::interval`);
    const assignments = others.reduce((list, assignment) => sql`${list}, ${assignment}`, first!);
    return sql`update ${sql(table)} set ${assignments} where id = any (${ids}::uuid[])`;
  };
  const reached = ['confirmed_at', 'off_ramp_initiated_at', 'off_ramp_completed_at', 'alpaca_funded_at'];
  await later('deposits', ['created_at', ...reached]);
  await later('withdrawals', ['created_at', 'updated_at']);
  await later('conversion_jobs', ['created_at', 'submitted_at']);
  await later('ledger_transactions', ['created_at']);
}
