import { fileURLToPath } from 'node:url';
import { BaseSequencer, createVitest, type TestSpecification, type Vitest } from 'vitest/node';
import type { Mutant } from './mutant.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The file that a test finds broken. */
    broken: { path: string; text: string };
  }
}

const project = new URL('../../', import.meta.url);

/** The project's own tests, kept ready: a file may be broken and some of them run again. */
export class Suite {
  readonly #vitest: Vitest;
  readonly #broken: { path: string; text: string };

  private constructor(vitest: Vitest, broken: { path: string; text: string }) {
    this.#vitest = vitest;
    this.#broken = broken;
  }

  static async open(): Promise<Suite> {
    const broken = { path: '', text: '' };
    const load = (id: string) => (id === broken.path ? broken.text : undefined);
    const options = {
      config: fileURLToPath(new URL('test/vitest.config.ts', project)),
      setupFiles: ['test/mutate/serve-broken.ts'],
      watch: false,
      bail: 1,
      maxWorkers: 1, // most often the first test fails, and a second process would start for nothing
      sequence: { sequencer: AsNamed },
      testTimeout: 60_000, // what never ends is noticed by that
      reporters: [{}],
    };
    const vitest = await createVitest('test', options, { plugins: [{ name: 'broken', enforce: 'pre', load }] });
    return new Suite(vitest, broken);
  }

  /** Which of the tests in these files fails now; undefined if none does. */
  async notices(mutant: Pick<Mutant, 'file' | 'text'>, files: readonly string[]): Promise<string | undefined> {
    this.#vitest.invalidateFile(this.#broken.path); // which was another one's
    Object.assign(this.#broken, { path: fileURLToPath(new URL(mutant.file, project)), text: mutant.text });
    this.#vitest.invalidateFile(this.#broken.path);
    this.#vitest.getRootProject().provide('broken', { ...this.#broken });
    const inOrder: TestSpecification[] = [];
    for (const file of files) inOrder.push(...(await this.#vitest.globTestSpecifications([file])));
    const { testModules, unhandledErrors } = await this.#vitest.runTestSpecifications(inOrder);
    this.#vitest.state.filesMap.clear(); // whoever stops at the first failure counts those of all runs
    for (const module of testModules) {
      for (const test of module.children.allTests('failed')) return `${module.relativeModuleId}: ${test.fullName}`;
      if (!module.ok()) return `${module.relativeModuleId}: ${module.errors()[0]?.message ?? 'failed'}`;
    }
    return unhandledErrors.length > 0 ? 'an error that nobody handles' : undefined;
  }

  async close(): Promise<void> {
    await this.#vitest.close();
  }
}

/** The files in the order in which they are named: vitest would begin with the one that takes longest. */
class AsNamed extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files);
  }
}
