import { KeptLines } from '../support/kept-lines.ts';
import type { FaultName } from './faults.ts';
import type { Aim, Trial } from './trial.ts';

/** What was tried, on what day and of which commit. The trial is null where there was nothing to do. */
export interface Kept {
  name: FaultName;
  aim: Aim;
  day: string;
  commit: string;
  trial: Trial | null;
}

/** The last trial of each aim. */
export class KeptTrials {
  readonly #lines: KeptLines<Kept>;

  private constructor(lines: KeptLines<Kept>) {
    this.#lines = lines;
  }

  static async in(file: string | undefined): Promise<KeptTrials> {
    return new KeptTrials(await KeptLines.in<Kept>(file, ({ name, aim }) => keyOf(name, aim)));
  }

  async add(kept: Kept): Promise<void> {
    await this.#lines.add(kept);
  }

  /** What did not hold is to be done again, and so is what was done to other code, whose moments are others. */
  isDone(name: FaultName, aim: Aim, commit: string): boolean {
    const kept = this.#lines.get(keyOf(name, aim));
    return kept?.commit === commit && !isBroken(kept);
  }

  of(wanted: FaultName): Kept[] {
    return this.#lines.values().filter(({ name }) => name === wanted);
  }
}

export function isBroken({ trial }: Kept): boolean {
  return trial !== null && 'broken' in trial;
}

function keyOf(name: FaultName, { place, on }: Aim): string {
  return JSON.stringify([name, place, on]);
}
