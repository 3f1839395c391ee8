import { appendFile, readFile } from 'node:fs/promises';
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

/** The last trial of each aim, in memory and, so that it can be gone on with, in a file: a line of JSON for each. */
export class KeptTrials {
  readonly #file: string | undefined;
  readonly #last = new Map<string, Kept>();

  private constructor(file: string | undefined) {
    this.#file = file;
  }

  static async in(file: string | undefined): Promise<KeptTrials> {
    const trials = new KeptTrials(file);
    const text = file === undefined ? '' : await readFile(file, { encoding: 'utf8', flag: 'a+' });
    for (const line of text.split('\n')) if (line !== '') trials.#remember(JSON.parse(line) as Kept);
    return trials;
  }

  async add(kept: Kept): Promise<void> {
    this.#remember(kept);
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify(kept)}\n`);
  }

  /** What did not hold is to be done again, and so is what was done to other code, whose moments are others. */
  isDone(name: FaultName, aim: Aim, commit: string): boolean {
    const kept = this.#last.get(keyOf(name, aim));
    return kept?.commit === commit && !isBroken(kept);
  }

  of(wanted: FaultName): Kept[] {
    return [...this.#last.values()].filter(({ name }) => name === wanted);
  }

  #remember(kept: Kept): void {
    this.#last.set(keyOf(kept.name, kept.aim), kept);
  }
}

export function isBroken({ trial }: Kept): boolean {
  return trial !== null && 'broken' in trial;
}

function keyOf(name: FaultName, { place, on }: Aim): string {
  return JSON.stringify([name, place, on]);
}
