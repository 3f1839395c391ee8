import assert from 'node:assert/strict';
import nodeFetch from 'node-fetch';
import { reconIn, testWorld, type Outcome } from '../support/world.ts';
import type { Arena } from './arena.ts';
import type { End } from './story.ts';

/** What came of a command, and whether something befell it. */
export interface Typed extends Outcome {
  isStruck: boolean;
}

/** Types the commands of a story. */
export class Operator {
  readonly #arena: Arena;
  /** Whether runs may correct. */
  corrects = true;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  async types(argv: readonly string[], now: Date, end: End = { how: 'by itself' }): Promise<Typed> {
    const { line, countdown } = this.#arena;
    const world = testWorld({ env: this.#env(), now, asOf: now });
    world.fetch = (...request) => {
      const answer = nodeFetch(...request);
      countdown.count(); // a run is struck at its requests too, once they are under way
      return answer;
    };
    let isStruck = false;
    if (end.how !== 'by itself')
      countdown.strikeAt(end.atMessage, () => {
        isStruck = true;
        if (end.how === 'cut off') line.cut();
        else world.interrupt('SIGTERM');
      });
    const outcome = await reconIn(world, argv);
    countdown.rest();
    line.mend();
    assert.notEqual(outcome.exitCode, 1, `a bug: ${outcome.stderr}`);
    return { ...outcome, isStruck };
  }

  #env(): Record<string, string> {
    const { line, hook, custodians } = this.#arena;
    return {
      DATABASE_URL: line.url,
      ...custodians.env,
      RECONCILIATION_ALERT_WEBHOOK_URL: hook.url,
      RECONCILIATION_ALERT_MAX_AGE: '365d', // none is given up
      RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: String(this.corrects),
      RECONCILIATION_CORRECTION_MAX_OF_A_KIND: '1000',
      LOG_LEVEL: 'silent',
      USER: 'ada',
    };
  }
}
