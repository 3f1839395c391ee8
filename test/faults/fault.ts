import type { Moment, Request, Statement } from './moments.ts';
import type { Run, Scene } from './stage.ts';
import type { Rehearsal } from './trial.ts';

/** One thing that is done to a run, at every moment that it fits. */
export interface Fault {
  /** In the words of the table. */
  what: string;
  /** The moments that it fits: messages to the database, requests to anybody else, both; or once, at the first. */
  at: 'statements' | 'requests' | 'moments' | 'beginning';
  /** Narrows them down. */
  fits?: (moment: Moment) => boolean;
  /** What it is done to, one at a time, where that is more than one thing. */
  objects?: (rehearsal: Rehearsal) => readonly string[];
  /** Variables of the run. */
  env?: Record<string, string>;
  /** What has to be done before the run begins, and when it has ended. */
  before?: (scene: Scene) => Promise<unknown>;
  after?: () => Promise<unknown>;
  /** May say that there was nothing to do: false. What it returns is waited for. */
  strike: (moment: Moment, place: Place) => unknown;
  /** How a run that was struck may end: exit codes, or the signal that killed it. */
  ends: readonly (number | NodeJS.Signals)[];
  /** What a run says that could not tell. */
  says?: RegExp;
  /** It may not leave its report open. */
  closesReport?: true;
  /** Whether it really came to that, where the strike alone cannot tell. */
  happened?: (scene: Scene) => Promise<boolean>;
}

/** Where a strike lands. */
export interface Place {
  scene: Scene;
  run: Run;
  /** To what it is done, of the `objects` of a fault; else it is empty. */
  on: string;
}

/** Either it could not tell, or what was lost was no part of its result any more. */
export const incompleteOrDone = [3, 2] as const;

export function isMeant({ at, fits }: Fault): (moment: Moment) => boolean {
  return (moment) =>
    (at === 'moments' || at === 'beginning' || at === `${moment.kind}s`) && (fits === undefined || fits(moment));
}

/** A strike at a message to the database. */
export function ofStatement(strike: (statement: Statement, place: Place) => unknown): Fault['strike'] {
  return (moment, place) => strike(moment as Statement, place);
}

/** A strike at a request to anybody else. */
export function ofRequest(strike: (request: Request, place: Place) => unknown): Fault['strike'] {
  return (moment, place) => strike(moment as Request, place);
}
