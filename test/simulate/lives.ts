import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { checkNames, type CheckName } from '../../src/checks/names.ts';
import {
  fingerprintOf,
  inStoredOrder,
  LifeModel,
  readStored,
  toStored,
  type ModelRow,
  type ModelRun,
} from '../exceptions/life-model.ts';
import type { Found } from './stored-run.ts';

/** An exception as the model has it, and the check whose it is. */
export interface Living {
  check: CheckName;
  row: ModelRow;
}

/** What has become of the exceptions of all checks, as the model has it. */
export class Lives {
  readonly #models = new Map(checkNames.map((check) => [check, new LifeModel()]));
  readonly #ids = new Map<ModelRow, string>();

  of(check: CheckName): LifeModel {
    return this.#models.get(check)!;
  }

  /** A run looked. Returns whether the check passes. */
  see(check: CheckName, run: ModelRun, found: readonly Found[], how: { clears: boolean }): boolean {
    return this.of(check).run(run, found, how);
  }

  /** All of them, by check and in the order in which they are stored. */
  all(): Living[] {
    return checkNames.flatMap((check) => inStoredOrder(check, this.of(check).rows).map((row) => ({ check, row })));
  }

  unresolved(): Living[] {
    return this.all().filter(({ row }) => row.resolved === null);
  }

  /** There is at most one that is not resolved. */
  byFingerprint(fingerprint: string): Living {
    return this.unresolved().find(({ check, row }) => fingerprintOf(check, row) === fingerprint)!;
  }

  /** Of one that was compared. */
  idOf(row: ModelRow): string {
    return this.#ids.get(row)!;
  }

  /** What is stored is what the model has, column by column. */
  async compare(sql: postgres.Sql): Promise<void> {
    for (const check of checkNames) {
      const rows = inStoredOrder(check, this.of(check).rows);
      const expected = toStored(check, rows);
      const stored = await readStored(sql, check, '');
      const columns = Object.keys(expected[0] ?? {});
      const shown = stored.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
      assert.deepEqual(shown, expected, `the exceptions of ${check}`);
      rows.forEach((row, place) => this.#ids.set(row, stored[place]!.id));
    }
  }
}
