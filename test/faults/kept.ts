import { appendFile, readFile } from 'node:fs/promises';
import type { FaultName } from './faults.ts';
import type { Trial } from './trial.ts';

interface Line {
  name: FaultName;
  trial: Trial;
}

/** What was tried, in memory and, so that it can be gone on with, in a file: a line of JSON for each. */
export class KeptTrials {
  readonly #file: string | undefined;
  readonly #lines: Line[];

  private constructor(file: string | undefined, lines: Line[]) {
    [this.#file, this.#lines] = [file, lines];
  }

  static async in(file: string | undefined): Promise<KeptTrials> {
    const text = file === undefined ? '' : await readFile(file, { encoding: 'utf8', flag: 'a+' });
    const lines = text.split('\n').filter((line) => line !== '');
    return new KeptTrials(
      file,
      lines.map((line) => JSON.parse(line) as Line),
    );
  }

  async add(name: FaultName, trial: Trial): Promise<void> {
    this.#lines.push({ name, trial });
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify({ name, trial })}\n`);
  }

  of(wanted: FaultName): Trial[] {
    return this.#lines.filter(({ name }) => name === wanted).map(({ trial }) => trial);
  }
}
