import { stream } from '../database/database.ts';
import { KeptRows } from '../database/kept-rows.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { Checkpoint, Cut, Window } from './check.ts';

const movedStatement: Statement = {
  relations: ['ledger_accounts', 'ledger_entries'],
  layers: [],
  file: 'accounts.changed.sql',
};
export const accountStatements = { changedAccounts: movedStatement };

/** The accounts with entries since the watermark; all of them if there is none. */
export interface MovedAccounts {
  moved: string[];
  /** Those that did not hold before the watermark what recon remembers. */
  differing: string[];
  /** What each of them held before this run's own watermark: `Checkpoint`s. */
  checkpoints: KeptRows;
}

/** So many accounts are held against their checkpoints at a time. */
const batchSize = 1_000;

/** Reads what accounts held, once for a run. */
export async function movedAccounts(cut: Cut, window: Window): Promise<MovedAccounts> {
  return cut.shared.once(readMoved, () => readMoved(cut, window));
}

async function readMoved(cut: Cut, window: Window): Promise<MovedAccounts> {
  const accounts: MovedAccounts = { moved: [], differing: [], checkpoints: new KeptRows() };
  let batch: Checkpoint[] = [];
  const compareBatch = async () => {
    accounts.moved.push(...batch.map(({ account_id: id }) => id));
    accounts.differing.push(...(await window.differing(batch)));
    batch = [];
  };
  for await (const row of heldBefore(cut, window)) {
    if (row.held_next !== null) accounts.checkpoints.add({ account_id: row.id, balance: row.held_next });
    if (!window.onlyChanges) continue;
    batch.push({ account_id: row.id, balance: row.held_before ?? 'NaN' }); // what cannot be added up is looked at
    if (batch.length === batchSize) await compareBatch();
  }
  if (batch.length > 0) await compareBatch();
  return accounts;
}

function heldBefore(cut: Cut, { since, until }: Window) {
  return stream<{ id: string; held_before: string | null; held_next: string | null }>(
    cut.transaction,
    compose(cut.source, movedStatement),
    bind({ ...cut.params, since, until }),
  );
}
